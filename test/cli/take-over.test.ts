import { readFileSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { takeOver } from '../../src/cli/take-over.ts';
import { messageOf } from '../../src/ipam/lease-error.ts';
import { listLeases } from '../../src/ipam/leases.ts';
import { releaseAttachment } from '../../src/ipam/release.ts';
import { createStore } from '../../src/ipam/store.ts';
import {
	anyOf,
	earlierBoot,
	endProcess,
	entriesOf,
	lease,
	past,
	processAt,
	small,
	temporaryDirectory,
	thisBoot,
} from '../ipam/stores.ts';

const attachment = { containerId: 'moved', ifname: 'eth0' };
const terms = { present: 0, bootId: thisBoot, deadline: past };
const at = (address: string) => ({ address, time: 1_795_000_000_000 });

test('every address becomes a lease of the one attachment, without a namespace, and DEL finds them all', (t) => {
	const { store } = processAt(temporaryDirectory(t));
	createStore(store);
	const addresses = [at('9.0.1.2'), at('fd00::2')];
	t.deepEqual(takeOver(store, attachment, addresses, terms), { taken: addresses, failures: [] });
	t.deepEqual(entriesOf(store), ['9.0.1.2', 'fd00::2', 'moved@eth0@0', 'moved@eth0@1']);
	const { found } = listLeases(store);
	for (const { index, time, netns, bootId, network } of found) {
		t.deepEqual(
			{ time, netns, bootId, network },
			{ time: at('').time, netns: '', bootId: thisBoot, network: 'dcos' },
		);
		t.true(index < 2);
	}
	t.is(store.system.held.size, 0);
	t.is(releaseAttachment(store, attachment, past).length, 2);
	t.deepEqual(entriesOf(store), []);
});

test('more addresses come behind those that are there', (t) => {
	const { store } = processAt(temporaryDirectory(t));
	createStore(store);
	takeOver(store, attachment, [at('9.0.1.2')], terms);
	takeOver(store, attachment, [at('9.0.1.3')], { ...terms, present: 1 });
	t.is(releaseAttachment(store, attachment, past).length, 2);
	t.deepEqual(entriesOf(store), []);
});

test('an address of another is left to it, and the rest is taken', (t) => {
	const directory = temporaryDirectory(t);
	const other = processAt(directory);
	lease(other.store, 'other');
	endProcess(other.store);
	const { store } = processAt(directory);
	const { taken, failures } = takeOver(store, attachment, [at('9.0.1.2'), at('9.0.1.3')], terms);
	t.deepEqual(taken, [at('9.0.1.3')]);
	t.deepEqual(failures.map(messageOf), [
		'leasing "9.0.1.2": it is held already, by container "other" (interface "eth0")',
	]);
	t.deepEqual(entriesOf(store), ['9.0.1.2', '9.0.1.3', 'moved@eth0@0', 'other@eth0@0']);
});

test('what an earlier boot left is freed', (t) => {
	const directory = temporaryDirectory(t);
	const other = processAt(directory);
	lease(other.store, 'other', anyOf(small), { bootId: earlierBoot });
	lease(other.store, 'moved', anyOf(small), { bootId: earlierBoot });
	endProcess(other.store);
	const { store, notes } = processAt(directory);
	t.is(takeOver(store, attachment, [at('9.0.1.2')], terms).taken.length, 1);
	t.deepEqual(entriesOf(store), ['9.0.1.2', 'moved@eth0@0']);
	t.is(notes.length, 2);
});

test('an attachment that a call works on is not touched', (t) => {
	const directory = temporaryDirectory(t);
	const other = processAt(directory);
	lease(other.store, 'moved');
	const before = readFileSync(`${other.store.attachments}/moved@eth0@0`, 'utf8');
	const { store } = processAt(directory);
	for (const present of [0, 1]) {
		const { taken, failures } = takeOver(store, attachment, [at('9.0.1.9')], { ...terms, present });
		t.deepEqual(taken, []);
		t.regex(messageOf(failures[0]), /another call for container "moved"/);
	}
	t.is(readFileSync(`${store.attachments}/moved@eth0@0`, 'utf8'), before);
	endProcess(other.store);
});

test('a remnant of a dead ADD is taken over, too', (t) => {
	const { store } = processAt(temporaryDirectory(t));
	createStore(store);
	writeFileSync(`${store.attachments}/moved@eth0@0`, '', { mode: 0o600 });
	t.is(takeOver(store, attachment, [at('9.0.1.2')], terms).taken.length, 1);
	t.deepEqual(entriesOf(store), ['9.0.1.2', 'moved@eth0@0']);
});
