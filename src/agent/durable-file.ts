// Writes a file so that nobody ever sees half of it, not even after the power has failed.

import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from '../linux/errno.ts';

/** How the other file ends, which is there when its writer was killed; nobody else has such. */
export const UNFINISHED = '.mesos-overlay-unfinished';

/** Writes another file, makes it durable, and gives it the name. Throws what node:fs throws; then the old one is there. */
export function writeDurably(path: string, text: string, mode: number): void {
	const directory = dirname(path);
	mkdirSync(directory, { recursive: true });
	const temporary = path + UNFINISHED;
	try {
		const descriptor = openSync(temporary, 'w', mode);
		try {
			writeFileSync(descriptor, text);
			fsyncSync(descriptor);
		} finally {
			closeSync(descriptor);
		}
		renameSync(temporary, path);
	} catch (error) {
		rmSync(temporary, { force: true });
		throw error;
	}
	const descriptor = openSync(directory, 'r');
	try {
		fsyncSync(descriptor);
	} finally {
		closeSync(descriptor);
	}
}

/** The text of a file; undefined: there is no file. Throws what node:fs throws. */
export function readIfThere(path: string): string | undefined {
	try {
		return readFileSync(path, 'utf8');
	} catch (error) {
		if (systemCode(error) === 'ENOENT' || systemCode(error) === 'EISDIR') return undefined;
		throw error;
	}
}
