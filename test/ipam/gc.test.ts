import { existsSync, mkdirSync, symlinkSync, truncateSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { collectGarbage } from '../../src/ipam/gc.ts';
import { attachmentPath } from '../../src/ipam/store.ts';
import { anyOf, endProcess, entriesOf, lease, processAt, small, small6, temporaryDirectory } from './stores.ts';

const soon = () => performance.now() + 2000;

function filled(t: ExecutionContext) {
	const directory = temporaryDirectory(t);
	const { store } = processAt(directory);
	lease(store, 'c1', anyOf(small, small6));
	lease(store, 'c2');
	lease(store, 'c2', anyOf(small), { ifname: 'eth1' });
	lease(store, 'x'.repeat(300));
	endProcess(store);
	return processAt(directory);
}

test('what is not listed is released, and nothing else', async (t) => {
	const { store, notes } = filled(t);
	await collectGarbage(
		store,
		[
			{ containerId: 'c2', ifname: 'eth0' },
			{ containerId: 'never', ifname: 'eth0' },
		],
		soon(),
	);
	t.deepEqual(entriesOf(store), ['9.0.1.3', 'c2@eth0@0']);
	t.is(notes.length, 4);
	t.true(notes.includes('freed 9.0.1.4: container "c2" is no valid attachment'));
	t.false(existsSync(`${store.directory}/gc.lock`));
});

test('an empty list releases everything', async (t) => {
	const { store } = filled(t);
	await collectGarbage(store, [], soon());
	t.deepEqual(entriesOf(store), []);
});

test('what dead ADDs and crashes of the machine left is removed, too', async (t) => {
	const { store, notes } = filled(t);
	writeFileSync(`${store.attachments}/c9@eth0@0`, '');
	unlinkSync(`${store.attachments}/c1@eth0@0`);
	await collectGarbage(store, [{ containerId: 'c2', ifname: 'eth0' }], soon());
	t.deepEqual(entriesOf(store), ['9.0.1.3', 'c2@eth0@0']);
	t.true(
		notes.includes('freed 9.0.1.2: its holder, container "c1" (interface "eth0"), is no valid attachment'),
		notes.join('\n'),
	);
});

test('what a dead ADD of a container with a long id left is removed, or kept if that is listed', async (t) => {
	const { store } = processAt(temporaryDirectory(t));
	const attachment = { containerId: 'x'.repeat(300), ifname: 'eth0' };
	lease(store, attachment.containerId);
	endProcess(store);
	unlinkSync(`${store.addresses}/9.0.1.2`);
	truncateSync(attachmentPath(store, attachment, 0));
	const before = entriesOf(store);
	await collectGarbage(store, [attachment], soon());
	t.deepEqual(entriesOf(store), before);
	await collectGarbage(store, [], soon());
	t.deepEqual(entriesOf(store), []);
});

test('a lease that a running call works on is left alone', async (t) => {
	const directory = temporaryDirectory(t);
	const adding = processAt(directory).store;
	lease(adding, 'c1');
	const { store } = processAt(directory);
	await collectGarbage(store, [], soon());
	t.deepEqual(entriesOf(store), ['9.0.1.2', 'c1@eth0@0']);
	endProcess(adding);
	await collectGarbage(store, [], soon());
	t.deepEqual(entriesOf(store), []);
});

test('after errors the rest is released, and all are reported', async (t) => {
	const { store } = filled(t);
	mkdirSync(`${store.attachments}/a@eth0@0`);
	writeFileSync(`${store.addresses}/9.0.1.6`, 'c1\r\neth0');
	const error = await t.throwsAsync(() => collectGarbage(store, [], soon()), { instanceOf: AggregateError });
	t.deepEqual(
		error?.errors.map(({ message }) => message.split(',')[0]),
		[
			`reading "${store.attachments}/a@eth0@0": a directory`,
			`reading "${store.addresses}/9.0.1.6": a file of another kind`,
		],
	);
	t.deepEqual(entriesOf(store), ['9.0.1.6', 'a@eth0@0']);
});

for (const [title, plant, what] of [
	['a symbolic link', (path: string) => symlinkSync('/tmp', path), 'a symbolic link'],
	['a file', (path: string) => writeFileSync(path, ''), 'a file'],
] as const) {
	test(`${title} in place of the lock is named at once, and nothing is released`, async (t) => {
		const { store } = filled(t);
		const lock = `${store.directory}/gc.lock`;
		plant(lock);
		const before = entriesOf(store);
		await t.throwsAsync(() => collectGarbage(store, [], performance.now() + 60_000), {
			message: `reading "${lock}": ${what}, which is no part of a lease store: look at it and remove it`,
		});
		t.deepEqual(entriesOf(store), before);
	});
}

test('a network that was never used is not made', async (t) => {
	const { store } = processAt(temporaryDirectory(t));
	await collectGarbage(store, [], soon());
	t.false(existsSync(store.directory));
});

test('another GC is waited for until the deadline, a dead one is not', async (t) => {
	const { store } = filled(t);
	const lock = `${store.directory}/gc.lock`;
	mkdirSync(lock);
	const error = await t.throwsAsync(() => collectGarbage(store, [], performance.now() + 300));
	t.like(error, {
		code: 'busy',
		cniCode: 11,
		message: `locking "${lock}": another GC of the network is running, try again when it is over`,
	});
	const longAgo = Date.now() / 1000 - 60;
	utimesSync(lock, longAgo, longAgo);
	await collectGarbage(store, [], soon());
	t.deepEqual(entriesOf(store), []);
});
