// Keeps two agents from one state directory.

import { mkdirSync } from 'node:fs';
import { closeFile, O_CREAT, O_NOFOLLOW, O_RDWR, openFile } from '../linux/files.ts';
import { lock } from '../linux/flock.ts';
import { OptionError } from './agent-options.ts';

/** Takes a directory, which is made if it is missing; what is given returns it. Throws OptionError when another agent has it. */
export function takeDirectory(directory: string): () => void {
	mkdirSync(directory, { recursive: true, mode: 0o700 });
	const descriptor = openFile(`${directory}/lock`, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
	const giveBack = (): void => closeFile(descriptor);
	if (lock(descriptor, performance.now())) return giveBack;
	giveBack();
	throw new OptionError(`locking "${directory}/lock": another agent runs with this directory; stop it first`);
}
