// The errors of SQLite, and what to do about them.

import { messageOf } from '../ipam/lease-error.ts';
import { systemCode } from '../linux/errno.ts';
import { StoreError } from './store.ts';

/** By SQLite's primary result codes, https://www.sqlite.org/rescode.html; also those of the file system. */
const MEANINGS: Readonly<Record<string, readonly [code: StoreError['code'], why: string]>> = {
	5: ['busy', 'another process has it, is there another master?'],
	8: ['failed', 'it cannot be written, is the file system read-only?'],
	10: ['failed', 'the disk, or its file system, has failed'],
	11: ['corrupt', 'it is damaged, restore a backup'],
	13: ['full', 'the file system is full, free some space'],
	14: ['failed', 'it cannot be opened'],
	26: ['corrupt', 'it is no database, restore a backup or set --state'],
	ENOSPC: ['full', 'the file system is full, free some space'],
	EROFS: ['failed', 'the file system is read-only'],
	EACCES: ['failed', 'permission denied'],
	EISDIR: ['failed', 'it is a directory, set --state'],
	ENOTDIR: ['failed', 'a part of the path is no directory'],
	EEXIST: ['failed', 'a part of the path is no directory'],
};

/** An error of SQLite or of the file system as a StoreError that says what was tried, and the remedy if there is one. */
export function sqliteError(tried: string, error: unknown): StoreError {
	if (error instanceof StoreError) return error;
	// The lower byte is the primary code.
	const number = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined;
	const [code, why] = MEANINGS[number ?? systemCode(error) ?? ''] ?? ['failed', 'failed'];
	return new StoreError(code, `${tried}: ${why} (${messageOf(error)})`, error);
}
