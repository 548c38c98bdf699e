/** The program `provision`: hands its table of verbs to the command line of this process. Nothing else happens here. */
import { runProcess } from '#core/node/command-line/process.ts';
import { program } from '#provisioner/commands/program.ts';

void runProcess(program);
