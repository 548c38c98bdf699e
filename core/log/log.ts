/** Logging as a port: what is said, how urgently, and with which data. Deciding code does not log; shells do. */

/** Most urgent first. */
export const logLevels = ['error', 'warning', 'notice', 'info', 'debug'] as const;

export type LogLevel = (typeof logLevels)[number];

/** Plain values only, and never a secret. */
export type LogData = Readonly<Record<string, string | number | boolean | null>>;

/** Say one thing: lower case, subject first. */
export type Log = (level: LogLevel, text: string, data?: LogData) => void;

/** Priority of syslog(3) and the journal: 3 error … 7 debug. */
export function syslogPriority(level: LogLevel): number {
  return logLevels.indexOf(level) + 3;
}

/** Whether a record of `level` is wanted at `threshold`. */
export function isLogged(level: LogLevel, threshold: LogLevel): boolean {
  return logLevels.indexOf(level) <= logLevels.indexOf(threshold);
}
