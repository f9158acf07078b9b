// The master's state in a file of SQLite: write-ahead log, and each change on the disk before it is answered.

import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { StoredWrite } from '../overlay/records.ts';
import { sqliteError } from './sqlite-error.ts';
import { type StateStore, type StoredChange, StoreError, type StoredState } from './store.ts';

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

/** How long to wait for a master that is just ending: milliseconds. */
const PATIENCE = 2000;

/**
 * Opens the file, or makes it if there is none. It belongs to this process until it ends or {@link StateStore.close}s it.
 * Throws StoreError with the reason when it cannot be trusted; it is not changed then.
 */
export function openSqliteStore(path: string): { readonly store: StateStore; readonly isNew: boolean } {
	const tried = `opening the state "${path}"`;
	try {
		const isNew = !existsSync(path);
		if (isNew) createFile(path, tried);
		else checkHeader(path, tried);
		return { store: storeOf(openDatabase(path, tried), path), isNew };
	} catch (error) {
		throw sqliteError(tried, error);
	}
}

/** Makes the file under another name first: one that was begun and not ended is never taken for a state. */
function createFile(path: string, tried: string): void {
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
function checkHeader(path: string, tried: string): void {
	const header = Buffer.alloc(HEADER_SIZE);
	const descriptor = openSync(path, 'r');
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
	if (header.readUInt32BE(60) !== VERSION) refuse('it is of another version of mesos-overlay');
}

function openDatabase(path: string, tried: string): DatabaseSync {
	const database = new DatabaseSync(path, { timeout: PATIENCE });
	try {
		// Exclusive: the lock is the process's, and the kernel frees it however the process ends.
		database.exec('pragma locking_mode = exclusive; begin immediate; commit;');
		const { integrity_check: found } = database.prepare('pragma integrity_check').get() ?? {};
		if (found !== 'ok') {
			throw new StoreError('corrupt', `${tried}: it is damaged, restore a backup (${String(found)})`);
		}
		database.exec('pragma journal_mode = wal; pragma synchronous = full;');
		return database;
	} catch (error) {
		database.close();
		throw error;
	}
}

interface RecordRow {
	readonly key: string;
	readonly value: string;
	readonly checksum: string;
}

interface HistoryRow {
	readonly revision: number;
	readonly run: string;
	readonly writes: string;
	readonly checksum: string;
}

function storeOf(database: DatabaseSync, path: string): StateStore {
	const put = database.prepare('insert or replace into records values (?, ?, ?)');
	const remove = database.prepare('delete from records where key = ?');
	const remember = database.prepare('insert into history values (?, ?, ?, ?)');
	const forget = database.prepare('delete from history where revision <= ?');
	const write = ({ revision, run, writes }: StoredChange, forgotten: number): void => {
		for (const { key, value } of writes) {
			if (value === undefined) remove.run(key);
			else put.run(key, value, checksumOf(key, value));
		}
		const text = JSON.stringify(writes);
		remember.run(revision, run, text, checksumOf(`${revision} ${run}`, text));
		forget.run(forgotten);
	};
	/** Tries something; what SQLite throws becomes a StoreError. */
	const attempt = async <Result>(tried: string, work: () => Result): Promise<Result> => {
		try {
			return work();
		} catch (error) {
			throw sqliteError(tried, error);
		}
	};
	return {
		load: () => attempt(`reading the state "${path}"`, () => load(database)),
		commit: (change, forgotten) =>
			attempt(`writing the state "${path}"`, () => {
				database.exec('begin immediate');
				try {
					write(change, forgotten);
					database.exec('commit');
				} catch (error) {
					// After some errors SQLite has done so itself.
					if (database.isTransaction) database.exec('rollback');
					throw error;
				}
			}),
		backUp: (copy) =>
			attempt(`copying the state "${path}"`, () => void database.prepare('vacuum into ?').run(copy)),
		close: () => attempt(`closing the state "${path}"`, () => database.close()),
	};
}

/** Throws StoreError when a checksum is wrong, or a change is missing. */
function load(database: DatabaseSync): StoredState {
	const damaged = (what: string): StoreError =>
		new StoreError('corrupt', `reading the state: ${what}, restore a backup`);
	const records = (database.prepare('select * from records order by key').all() as unknown as RecordRow[]).map(
		({ key, value, checksum }): StoredWrite => {
			if (checksum !== checksumOf(key, value)) throw damaged(`the record "${key}" is damaged`);
			return { key, value };
		},
	);
	const rows = database.prepare('select * from history order by revision').all() as unknown as HistoryRow[];
	const history = rows.map(({ revision, run, writes, checksum }, at): StoredChange => {
		if (checksum !== checksumOf(`${revision} ${run}`, writes)) throw damaged(`the change ${revision} is damaged`);
		if (at > 0 && revision !== (rows[at - 1]?.revision ?? 0) + 1)
			throw damaged(`a change before ${revision} is missing`);
		return { revision, run, writes: JSON.parse(writes) as StoredWrite[] };
	});
	return { records, history };
}

function checksumOf(name: string, text: string): string {
	return createHash('sha256').update(`${name}\n${text}`).digest('base64').slice(0, 16);
}
