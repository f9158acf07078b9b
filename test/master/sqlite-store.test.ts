// The state on the disk: whatever happens to it, it is what it was, or it is refused with the reason.
import {
	copyFileSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	truncateSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { openSqliteStore } from '../../src/master/sqlite-store.ts';
import { type StoredChange, StoreError } from '../../src/master/store.ts';
import { runOrThrow } from '../helpers/command.ts';

function temporaryDirectory(t: ExecutionContext): string {
	const directory = mkdtempSync(join(tmpdir(), 'mesos-overlay-store-'));
	t.teardown(() => rmSync(directory, { recursive: true, force: true }));
	return directory;
}
const changeOf = (revision: number, writes: Record<string, string | undefined>): StoredChange => ({
	revision,
	run: 'run',
	writes: Object.entries(writes).map(([key, value]) => (value === undefined ? { key, value } : { key, value })),
});

/** A state of two changes, closed. */
async function example(t: ExecutionContext): Promise<string> {
	const path = join(temporaryDirectory(t), 'master.db');
	const { store } = openSqliteStore(path);
	await store.commit(changeOf(1, { 'agent/10.0.0.1': 'one', 'agent/10.0.0.2': 'two' }), 0);
	await store.commit(changeOf(2, { 'agent/10.0.0.1': undefined, 'freed/9.0.0.0/26': 'three' }), 0);
	await store.close();
	return path;
}

const refused = (t: ExecutionContext, path: string, code: StoreError['code'], message: RegExp) => {
	const before = existsSync(path) ? readFileSync(path) : undefined;
	const error = t.throws(() => openSqliteStore(path), { instanceOf: StoreError });
	t.is(error.code, code, error.message);
	t.regex(error.message, message);
	t.true(error.message.includes(path));
	t.true(before === undefined ? !existsSync(path) : before.equals(readFileSync(path)), 'it is not touched');
};

test('what was written is there after the end, with its history', async (t) => {
	const path = await example(t);
	const { store, isNew } = openSqliteStore(path);
	t.false(isNew);
	t.deepEqual(await store.load(), {
		records: [
			{ key: 'agent/10.0.0.2', value: 'two' },
			{ key: 'freed/9.0.0.0/26', value: 'three' },
		],
		history: [
			changeOf(1, { 'agent/10.0.0.1': 'one', 'agent/10.0.0.2': 'two' }),
			{ ...changeOf(2, {}), writes: [{ key: 'agent/10.0.0.1' }, { key: 'freed/9.0.0.0/26', value: 'three' }] },
		] as StoredChange[],
	});
	await store.close();
});

test('only root can read it, and nothing else is left', async (t) => {
	const path = await example(t);
	t.is(statSync(path).mode & 0o777, 0o600);
	t.deepEqual(readdirSync(join(path, '..')), ['master.db']);
});

test('what is to be forgotten is', async (t) => {
	const path = await example(t);
	const { store } = openSqliteStore(path);
	await store.commit(changeOf(3, { 'agent/10.0.0.3': 'x' }), 2);
	const { history } = await store.load();
	t.deepEqual(
		history.map(({ revision }) => revision),
		[3],
	);
	await store.close();
});

test('a change that fails changes nothing', async (t) => {
	const path = await example(t);
	const { store } = openSqliteStore(path);
	const before = await store.load();
	await t.throwsAsync(store.commit(changeOf(2, { 'agent/10.0.0.9': 'x' }), 0), { instanceOf: StoreError });
	t.deepEqual(await store.load(), before);
	await store.commit(changeOf(3, { 'agent/10.0.0.9': 'x' }), 0);
	await store.close();
});

test('it belongs to one process at a time', async (t) => {
	const path = await example(t);
	const { store } = openSqliteStore(path);
	const error = t.throws(() => openSqliteStore(path), { instanceOf: StoreError });
	t.is(error.code, 'busy');
	t.regex(error.message, /another process has it/);
	await store.close();
	await openSqliteStore(path).store.close();
});

test('a copy of it is a state, also while it is in use', async (t) => {
	const path = await example(t);
	const { store } = openSqliteStore(path);
	const copy = `${path}.copy`;
	await store.backUp(copy);
	await t.throwsAsync(store.backUp(copy), { instanceOf: StoreError });
	const { store: other } = openSqliteStore(copy);
	t.deepEqual(await other.load(), await store.load());
	await Promise.all([store.close(), other.close()]);
});

test('an empty file', async (t) => {
	const path = await example(t);
	truncateSync(path, 0);
	refused(t, path, 'corrupt', /it is empty, restore a backup/);
});

test('a file that was cut', async (t) => {
	const path = await example(t);
	for (const size of [statSync(path).size - 4096, 4096, 1000, 50]) {
		truncateSync(path, size);
		refused(t, path, 'corrupt', /damaged|no database/);
	}
});

test('a page of zeros', async (t) => {
	const path = await example(t);
	const bytes = readFileSync(path);
	for (let at = 0; at < bytes.length; at += 4096) {
		writeFileSync(path, Buffer.concat([bytes.subarray(0, at), Buffer.alloc(4096), bytes.subarray(at + 4096)]));
		refused(t, path, 'corrupt', /damaged|no database/);
	}
});

test('a single changed letter, in a record or in the history', async (t) => {
	for (const word of ['two', 'three']) {
		const path = await example(t);
		const bytes = readFileSync(path);
		const places = Array.from(bytes.toString('latin1').matchAll(new RegExp(word, 'g')), ({ index }) => index);
		t.true(places.length >= 2);
		for (const place of places) {
			const changed = Buffer.from(bytes);
			changed[place] = changed[place]! ^ 1;
			writeFileSync(path, changed);
			const { store } = openSqliteStore(path);
			await t.throwsAsync(store.load(), { instanceOf: StoreError, message: /is damaged, restore a backup/ });
			await store.close();
		}
	}
});

test('another program’s database, a text, a directory, and one of a later version', async (t) => {
	const directory = temporaryDirectory(t);
	const other = new DatabaseSync(join(directory, 'other.db'));
	other.exec('create table notes (text)');
	other.close();
	refused(t, join(directory, 'other.db'), 'corrupt', /it is another program's/);
	writeFileSync(join(directory, 'text.db'), 'a text that is long enough not to be cut '.repeat(200));
	refused(t, join(directory, 'text.db'), 'corrupt', /it is no database/);
	mkdirSync(join(directory, 'directory.db'));
	t.throws(() => openSqliteStore(join(directory, 'directory.db')), {
		instanceOf: StoreError,
		message: /"\S+directory\.db": it is a directory, set --state/,
	});
	t.throws(() => openSqliteStore(join(directory, 'text.db', 'master.db')), {
		instanceOf: StoreError,
		message: /a part of the path is no directory/,
	});
	const path = await example(t);
	const later = new DatabaseSync(path);
	later.exec('pragma user_version = 2');
	later.close();
	refused(t, path, 'corrupt', /of another version of mesos-overlay \(2, this is 1\)/);
});

test('the log without its file', async (t) => {
	const path = join(temporaryDirectory(t), 'master.db');
	writeFileSync(`${path}-wal`, 'x');
	refused(t, path, 'corrupt', /it is gone, but its log is there/);
});

test('a creation that was interrupted is begun anew', async (t) => {
	const path = join(temporaryDirectory(t), 'master.db');
	writeFileSync(`${path}.new`, 'half');
	const { store, isNew } = openSqliteStore(path);
	t.true(isNew);
	t.deepEqual(await store.load(), { records: [], history: [] });
	await store.close();
	t.false(existsSync(`${path}.new`));
});

test('the log of a killed process is what it was, and a part of it whole changes', async (t) => {
	const path = await example(t);
	const { store } = openSqliteStore(path);
	for (let revision = 3; revision < 10; revision++) {
		await store.commit(changeOf(revision, { [`agent/10.0.1.${revision}`]: `value ${revision}` }), 0);
	}
	const log = readFileSync(`${path}-wal`);
	const copy = join(temporaryDirectory(t), 'master.db');
	for (let size = log.length; size >= 0; size -= 1500) {
		copyFileSync(path, copy);
		writeFileSync(`${copy}-wal`, log.subarray(0, size));
		const { store: other } = openSqliteStore(copy);
		const { records, history } = await other.load();
		const last = history.at(-1)?.revision ?? 0;
		t.true(last >= 2);
		t.deepEqual(
			records.filter(({ key }) => key.startsWith('agent/10.0.1.')).map(({ value }) => value),
			Array.from({ length: last - 2 }, (_, at) => `value ${at + 3}`),
		);
		await other.close();
	}
	await store.close();
});

/** A state as a killed master leaves it: much of it in the log. Gives the length of the log after each change. */
async function killed(t: ExecutionContext): Promise<{ file: Buffer; log: Buffer; lengths: number[] }> {
	const path = await example(t);
	const { store } = openSqliteStore(path);
	const lengths: number[] = [];
	for (let revision = 3; revision < 23; revision++) {
		const writes = { [`agent/10.0.1.${revision}`]: 'x'.repeat(revision * 97), 'agent/10.0.0.2': `${revision}` };
		await store.commit(changeOf(revision, writes), 0);
		lengths.push(statSync(`${path}-wal`).size);
	}
	const left = { file: readFileSync(path), log: readFileSync(`${path}-wal`), lengths };
	await store.close();
	return left;
}

/** What a history comes to. */
const replayed = (history: readonly StoredChange[]) => {
	const records = new Map<string, string>();
	for (const { key, value } of history.flatMap(({ writes }) => writes)) {
		if (value === undefined) records.delete(key);
		else records.set(key, value);
	}
	return [...records].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([key, value]) => ({ key, value }));
};

const damage = fc.record({
	of: fc.constantFrom('file' as const, 'log' as const),
	kind: fc.constantFrom('cut' as const, 'flip' as const, 'zeros' as const),
	place: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
	length: fc.constantFrom(1, 8, 512, 4096),
});

test('torn, cut or overwritten anywhere: a state that once was, or refused with the reason and left alone', async (t) => {
	const before = await killed(t);
	const path = join(temporaryDirectory(t), 'master.db');
	const outcomes = { recovered: 0, refused: 0 };
	const tryOut = async ({ of, kind, place, length }: typeof damage extends fc.Arbitrary<infer T> ? T : never) => {
		const bytes = Buffer.from(before[of]);
		const at = Math.floor(place * bytes.length);
		const part = bytes.subarray(at, at + length);
		if (kind === 'flip') part.forEach((byte, index) => (part[index] = byte ^ 0x55));
		if (kind === 'zeros') part.fill(0);
		const damaged = { ...before, [of]: kind === 'cut' ? bytes.subarray(0, at) : bytes };
		for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
		writeFileSync(path, damaged.file);
		writeFileSync(`${path}-wal`, damaged.log);
		const changed = !damaged[of].equals(before[of]);
		try {
			const { store } = openSqliteStore(path);
			try {
				const { records, history } = await store.load();
				t.deepEqual(records, replayed(history), 'the records are those of the history');
				const last = history.at(-1)?.revision ?? 0;
				// Of the log, a change that others follow cannot be missing, unless these are missing, too.
				const isLate = of === 'log' && (kind === 'cut' || at >= (before.lengths.at(-3) ?? 0));
				t.true(last === 22 || (last >= 2 && isLate), `${last}`);
				outcomes.recovered++;
			} finally {
				await store.close();
			}
		} catch (error) {
			if (!(error instanceof StoreError)) throw error;
			t.is(error.code, 'corrupt');
			t.regex(error.message, /restore a backup/);
			t.true(changed, 'nothing was damaged');
			if (error.message.startsWith('opening')) {
				t.true(readFileSync(path).equals(damaged.file) && readFileSync(`${path}-wal`).equals(damaged.log));
			}
			outcomes.refused++;
		}
	};
	await fc.assert(fc.asyncProperty(damage, tryOut), { numRuns: 300 });
	t.true(outcomes.recovered > 20 && outcomes.refused > 20, JSON.stringify(outcomes));
});

test('a log that was used again: what is left in it of the time before is none of it', async (t) => {
	const path = await example(t);
	const { store } = openSqliteStore(path);
	// The log is put into the file after a thousand pages, and begun anew.
	let revision = 3;
	for (let size = 0; ; revision++) {
		await store.commit(changeOf(revision, { 'agent/10.0.0.2': `${revision} ${'x'.repeat(20_000)}` }), revision - 2);
		const { size: now } = statSync(`${path}-wal`);
		if (now === size && revision > 20) break;
		size = now;
	}
	await store.commit(changeOf(revision + 1, { 'agent/10.0.0.2': 'last' }), 0);
	const copy = join(temporaryDirectory(t), 'master.db');
	copyFileSync(path, copy);
	copyFileSync(`${path}-wal`, `${copy}-wal`);
	const { store: other } = openSqliteStore(copy);
	t.deepEqual(await other.load(), await store.load());
	await Promise.all([store.close(), other.close()]);
});

test('a file system that cannot be written: an existing state is refused, and none is made', async (t) => {
	const path = await example(t);
	const directory = dirname(path);
	runOrThrow(['mount', '--bind', directory, directory]);
	t.teardown(() => runOrThrow(['umount', directory]));
	runOrThrow(['mount', '-o', 'remount,bind,ro', directory]);
	const isReadOnly = { instanceOf: StoreError, message: /read-only/ };
	t.is(t.throws(() => openSqliteStore(path), isReadOnly).code, 'failed');
	t.is(t.throws(() => openSqliteStore(join(directory, 'new.db')), isReadOnly).code, 'failed');
	t.deepEqual(readdirSync(directory), ['master.db']);
	runOrThrow(['mount', '-o', 'remount,bind,rw', directory]);
	const { store } = openSqliteStore(path);
	t.is((await store.load()).records.length, 2);
	await store.close();
});

test('a full disk: what does not fit is refused, what was answered is there', async (t) => {
	const directory = temporaryDirectory(t);
	runOrThrow(['mount', '-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', directory]);
	t.teardown(() => runOrThrow(['umount', directory]));
	const path = join(directory, 'master.db');
	const { store } = openSqliteStore(path);
	let revision = 0;
	const fill = async () => {
		for (;;) {
			await store.commit(changeOf(revision + 1, { [`agent/${revision}`]: 'x'.repeat(2000) }), 0);
			revision++;
		}
	};
	const error = await t.throwsAsync(fill(), { instanceOf: StoreError });
	t.is(error.code, 'full', error.message);
	t.true(revision > 10);
	await t.throwsAsync(store.commit(changeOf(revision + 1, { 'agent/large': 'x'.repeat(50_000) }), 0), {
		instanceOf: StoreError,
	});
	t.is((await store.load()).records.length, revision);
	await store.close();
	const { store: again } = openSqliteStore(path);
	t.is((await again.load()).records.length, revision);
	await again.close();
});
