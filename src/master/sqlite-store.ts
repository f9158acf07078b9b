// The master's state in a file of SQLite: write-ahead log, and each change on the disk before it is answered.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { StoredWrite } from '../overlay/records.ts';
import { sqliteError } from './sqlite-error.ts';
import { checkFile, createFile } from './sqlite-file.ts';
import { checkLog } from './sqlite-log.ts';
import { type StateStore, type StoredChange, StoreError, type StoredState } from './store.ts';

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
		else checkFile(path, tried);
		return { store: storeOf(openDatabase(path, tried), path), isNew };
	} catch (error) {
		throw sqliteError(tried, error);
	}
}

function openDatabase(path: string, tried: string): DatabaseSync {
	if (checkLog(path, tried)) examineWithLog(path, tried);
	const database = new DatabaseSync(path, { timeout: PATIENCE });
	try {
		// Exclusive: the lock is the process's, and the kernel frees it however the process ends.
		database.exec('pragma locking_mode = exclusive; begin immediate; commit;');
		examine(database, tried);
		database.exec('pragma journal_mode = wal; pragma synchronous = full;');
		return database;
	} catch (error) {
		database.close();
		throw error;
	}
}

function examine(database: DatabaseSync, tried: string): void {
	const { integrity_check: found } = database.prepare('pragma integrity_check').get() ?? {};
	if (found === 'ok') return;
	throw new StoreError('corrupt', `${tried}: it is damaged, restore a backup (${String(found)})`);
}

/** Who may write puts the log into the file when it closes: what is damaged is found before. */
function examineWithLog(path: string, tried: string): void {
	const database = new DatabaseSync(path, { timeout: PATIENCE, readOnly: true });
	try {
		examine(database, tried);
	} catch (error) {
		// Who only reads needs space beside the file, too; on a full disk, who writes says what there is to say.
		if (['corrupt', 'busy'].includes(sqliteError(tried, error).code)) throw error;
	} finally {
		database.close();
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
