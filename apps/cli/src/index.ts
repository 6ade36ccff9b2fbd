// The systemprompt command: run a SystemPrompt project in the cloud.
export { type ExitCode, exitCodes } from './exit-codes.ts';
export { main } from './main.ts';
