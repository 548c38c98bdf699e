/** The device program: parses, runs one verb, ends the process. What verbs need is loaded by them. */
import { runProcess } from '#core/node/command-line/process.ts';
import { robonetProgram } from '#agent/verbs/program.ts';

void runProcess(robonetProgram);
