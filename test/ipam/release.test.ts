import {
	linkSync,
	mkdirSync,
	readdirSync,
	rmdirSync,
	statSync,
	truncateSync,
	unlinkSync,
	writeFileSync,
} from 'node:fs';
import test from 'ava';
import { LeaseError } from '../../src/ipam/lease-error.ts';
import { releaseAttachment } from '../../src/ipam/release.ts';
import { anyOf, endProcess, entriesOf, lease, past, processAt, small, small6, temporaryDirectory } from './stores.ts';

const attachment = { containerId: 'c1', ifname: 'eth0' };

/** A store in which c1 has an address of each family and c2 one, their processes over. */
function leased(directory: string) {
	const { store } = processAt(directory);
	lease(store, 'c1', anyOf(small, small6));
	lease(store, 'c2');
	endProcess(store);
	return store;
}

test('everything of the attachment is released, nothing of another, and a second time there is nothing to do', (t) => {
	const store = leased(temporaryDirectory(t));
	t.deepEqual(
		releaseAttachment(store, attachment, past).map(({ address }) => address),
		['fd00::2', '9.0.1.2'],
	);
	t.deepEqual(entriesOf(store), ['9.0.1.3', 'c2@eth0@0']);
	t.deepEqual(releaseAttachment(store, attachment, past), []);
	t.deepEqual(releaseAttachment(store, { containerId: 'c2', ifname: 'eth1' }, past), []);
	t.deepEqual(entriesOf(store), ['9.0.1.3', 'c2@eth0@0']);
});

test('a process releases what it leased itself', (t) => {
	const { store } = processAt(temporaryDirectory(t));
	lease(store, 'c1', anyOf(small, small6));
	t.is(releaseAttachment(store, attachment, past).length, 2);
	t.deepEqual(entriesOf(store), []);
	t.is(store.system.held.size, 0);
});

test('the lease of a process that works on it is waited for until the deadline', (t) => {
	const directory = temporaryDirectory(t);
	const adding = processAt(directory).store;
	lease(adding, 'c1');
	const { store } = processAt(directory);
	const start = performance.now();
	const error = t.throws(() => releaseAttachment(store, attachment, start + 50), { instanceOf: LeaseError });
	t.true(performance.now() - start >= 50);
	t.is(
		error?.message,
		`locking "${store.attachments}/c1@eth0@0": another call for container "c1" (interface "eth0") is running, try again when it is over`,
	);
	t.is(error?.cniCode, 11);
	endProcess(adding);
	t.is(releaseAttachment(store, attachment, past).length, 1);
});

test('an address that somebody else has meanwhile is left alone', (t) => {
	const store = leased(temporaryDirectory(t));
	unlinkSync(`${store.addresses}/9.0.1.2`);
	linkSync(`${store.attachments}/c2@eth0@0`, `${store.addresses}/9.0.1.2`);
	releaseAttachment(store, attachment, past);
	t.deepEqual(entriesOf(store), ['9.0.1.2', '9.0.1.3', 'c2@eth0@0']);
});

test('a lease whose content a crash of the machine has emptied is released with its address', (t) => {
	const store = leased(temporaryDirectory(t));
	truncateSync(`${store.attachments}/c1@eth0@0`);
	releaseAttachment(store, attachment, past);
	t.deepEqual(entriesOf(store), ['9.0.1.3', 'c2@eth0@0']);
});

test('after an error the rest is released, and the next call finds what is left', (t) => {
	const store = leased(temporaryDirectory(t));
	const obstacle = `${store.attachments}/c1@eth0@1`;
	unlinkSync(obstacle);
	mkdirSync(obstacle);
	const error = t.throws(() => releaseAttachment(store, attachment, past), { instanceOf: LeaseError });
	t.is(
		error?.message,
		`reading "${obstacle}": a directory, which is no part of a lease store: look at it and remove it`,
	);
	t.false(readdirSync(store.addresses).includes('9.0.1.2'));
	t.truthy(statSync(`${store.attachments}/c1@eth0@0`));
	rmdirSync(obstacle);
	releaseAttachment(store, attachment, past);
	t.deepEqual(readdirSync(store.attachments), ['c2@eth0@0']);
});

test('the lease of another attachment under the name is named and kept', (t) => {
	const store = leased(temporaryDirectory(t));
	linkSync(`${store.attachments}/c2@eth0@0`, `${store.attachments}/c3@eth0@0`);
	const error = t.throws(() => releaseAttachment(store, { containerId: 'c3', ifname: 'eth0' }, past), {
		instanceOf: LeaseError,
	});
	t.true(
		error?.message.startsWith(
			`reading "${store.attachments}/c3@eth0@0": the lease of container "c2" (interface "eth0")`,
		),
		error?.message,
	);
	t.true(entriesOf(store).includes('9.0.1.3'));
});

test('foreign files beside the leases are left alone', (t) => {
	const store = leased(temporaryDirectory(t));
	writeFileSync(`${store.addresses}/README`, 'hello');
	writeFileSync(`${store.attachments}/lock`, '');
	releaseAttachment(store, attachment, past);
	t.deepEqual(entriesOf(store), ['9.0.1.3', 'README', 'c2@eth0@0', 'lock']);
});

test('two errors are reported together', (t) => {
	const directory = temporaryDirectory(t);
	leased(directory);
	const { system } = processAt(directory).store;
	const unlinkFile = () => {
		throw Object.assign(new Error('EROFS'), { code: 'EROFS' });
	};
	const { store } = processAt(directory, { ...system, unlinkFile });
	const error = t.throws(() => releaseAttachment(store, attachment, past), { instanceOf: AggregateError });
	t.deepEqual(
		error?.errors.map(({ message }) => message),
		['fd00::2', '9.0.1.2'].map(
			(address) =>
				`removing the lease "${store.addresses}/${address}": the file system is read-only, set ipam.dataDir to a directory that can be written (EROFS)`,
		),
	);
});
