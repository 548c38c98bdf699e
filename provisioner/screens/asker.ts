/**
 * Questions to the person at the terminal, one at a time even when ten hosts have questions. Without a terminal nobody is
 * asked and every answer is "nobody can say". Answers are never echoed, logged or kept beyond the run.
 */
import { confirm, isCancel, multiselect, password, text } from '@clack/prompts';
import { Fault } from '#core/errors/fault.ts';

export interface Choice {
  readonly value: string;
  readonly label: string;
  readonly hint?: string;
}

export interface Asker {
  /** Whether there is anybody to ask. */
  readonly present: boolean;
  secret(question: string): Promise<string | null>;
  text(question: string, suggestion: string): Promise<string | null>;
  confirm(question: string): Promise<boolean>;
  /** The chosen values; arrows move, space marks. */
  choose(question: string, choices: readonly Choice[], marked: readonly string[]): Promise<readonly string[] | null>;
}

/** Ask on the terminal; `around` pauses whatever else is drawing there. */
export function terminalAsker(present: boolean, around: <Value>(ask: () => Promise<Value>) => Promise<Value>): Asker {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <Value>(ask: () => Promise<Value | symbol>): Promise<Value> => {
    const mine = last.then(async () => {
      const answer = await around(ask);
      if (isCancel(answer) || typeof answer === 'symbol') throw new Fault('RN-PROV-031', 'the question was left unanswered');
      return answer;
    });
    last = mine.catch(() => undefined);
    return mine;
  };
  const output = process.stderr;
  if (!present)
    return {
      present,
      secret: () => Promise.resolve(null),
      text: () => Promise.resolve(null),
      confirm: () => Promise.resolve(false),
      choose: () => Promise.resolve(null),
    };
  return {
    present,
    secret: (question) => inTurn<string>(() => password({ message: question, output })),
    text: (question, suggestion) => inTurn<string>(() => text({ message: question, initialValue: suggestion, output })),
    confirm: (question) => inTurn<boolean>(() => confirm({ message: question, initialValue: false, output })),
    choose: (question, choices, marked) =>
      inTurn<readonly string[]>(() =>
        multiselect({
          message: question,
          options: choices.map(({ value, label, hint }) => ({ value, label, ...(hint === undefined ? {} : { hint }) })),
          initialValues: [...marked],
          required: false,
          output,
        }),
      ),
  };
}
