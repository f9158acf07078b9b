// The file of the master's state before SQLite opens it: made anew, or known to be ours.

import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from './store.ts';

/** `mesO` in ASCII: tells our files from other programs', PRAGMA application_id. */
const APPLICATION = 0x6d65734f;
/** PRAGMA user_version; a newer one is not touched. */
const VERSION = 1;

/** Each record has a checksum, since SQLite has none: a bit that has changed on the disk must not become an address. */
const SCHEMA = `
	create table records (key text primary key, value text not null, checksum text not null) strict, without rowid;
	create table history (revision integer primary key, run text not null, writes text not null, checksum text not null) strict;
	pragma application_id = ${APPLICATION};
	pragma user_version = ${VERSION};
`;

/** The beginning of a file of SQLite, https://www.sqlite.org/fileformat2.html#the_database_header. */
const MAGIC = 'SQLite format 3\0';
const HEADER_SIZE = 100;

/** Makes the file under another name first: one that was begun and not ended is never taken for a state. */
export function createFile(path: string, tried: string): void {
	if (existsSync(`${path}-wal`)) {
		const why = 'it is gone, but its log is there: restore a backup, or remove the log to begin anew';
		throw new StoreError('corrupt', `${tried}: ${why}`);
	}
	mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
	const temporary = `${path}.new`;
	for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(`${temporary}${suffix}`, { force: true });
	closeSync(openSync(temporary, 'wx', 0o600));
	const database = new DatabaseSync(temporary);
	try {
		database.exec(`pragma journal_mode = wal; begin; ${SCHEMA} commit;`);
	} finally {
		database.close();
	}
	renameSync(temporary, path);
	syncDirectory(dirname(path));
}

/** Makes a new name in a directory durable. */
function syncDirectory(path: string): void {
	const descriptor = openSync(path, 'r');
	try {
		fsyncSync(descriptor);
	} finally {
		closeSync(descriptor);
	}
}

/** Looks at a file before SQLite does, which would change what it takes for an empty or older database. */
export function checkFile(path: string, tried: string): void {
	const header = Buffer.alloc(HEADER_SIZE);
	// To write, too, though that is left to SQLite: it would not say why it cannot.
	const descriptor = openSync(path, 'r+');
	const length = readSync(descriptor, header);
	closeSync(descriptor);
	const refuse = (why: string): never => {
		throw new StoreError('corrupt', `${tried}: ${why}`);
	};
	if (length === 0) refuse('it is empty, restore a backup');
	if (length < HEADER_SIZE || header.toString('latin1', 0, MAGIC.length) !== MAGIC) {
		refuse('it is no database, restore a backup or set --state');
	}
	if (header.readUInt32BE(68) !== APPLICATION) refuse("it is another program's, set --state");
	const version = header.readUInt32BE(60);
	if (version !== VERSION) refuse(`it is of another version of mesos-overlay (${version}, this is ${VERSION})`);
}
