import { linkSync, readdirSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { diedBefore } from '../../src/ipam/liveness.ts';
import { reclaim } from '../../src/ipam/reclaim.ts';
import {
	anyOf,
	earlierBoot,
	endProcess,
	entriesOf,
	exactly,
	lease,
	past,
	processAt,
	setOf,
	small,
	small6,
	temporaryDirectory,
	thisBoot,
} from './stores.ts';

/** A store of which `containers` fill the half; those named `old…` are of an earlier boot. */
function filled(directory: string, containers: readonly string[], demands = anyOf(small)) {
	const { store } = processAt(directory);
	for (const name of containers) lease(store, name, demands, name.startsWith('old') ? { bootId: earlierBoot } : {});
	endProcess(store);
	return processAt(directory);
}

test('a full half gives the addresses of earlier boots, and says whose they were', (t) => {
	const { store, notes } = filled(temporaryDirectory(t), ['a', 'old1', 'b', 'old2', 'c']);
	t.deepEqual(lease(store, 'd'), ['9.0.1.3']);
	t.deepEqual(notes.toSorted(), [
		'freed 9.0.1.3: its holder, container "old1" (interface "eth0"), is of an earlier boot',
		'freed 9.0.1.5: its holder, container "old2" (interface "eth0"), is of an earlier boot',
	]);
	t.deepEqual(lease(store, 'e'), ['9.0.1.5']);
	t.throws(() => lease(store, 'f'), { code: 'noAddressLeft' });
	t.deepEqual(readdirSync(store.attachments).toSorted(), [
		'a@eth0@0',
		'b@eth0@0',
		'c@eth0@0',
		'd@eth0@0',
		'e@eth0@0',
	]);
});

test('an address of an earlier boot that is asked for is given', (t) => {
	const { store, notes } = filled(temporaryDirectory(t), ['old']);
	t.deepEqual(lease(store, 'a', exactly('9.0.1.2')), ['9.0.1.2']);
	t.is(notes.length, 1);
});

test('the other family of a holder of an earlier boot is freed with it', (t) => {
	const range = setOf('9.0.1.0/30');
	const { store } = filled(temporaryDirectory(t), ['old'], anyOf(range, small6));
	lease(store, 'a', anyOf(range));
	t.deepEqual(entriesOf(store), ['9.0.1.2', 'a@eth0@0']);
});

test('no more are freed than are wanted at once', (t) => {
	const { store } = filled(temporaryDirectory(t), ['old1', 'old2', 'a', 'old3', 'old4']);
	t.like(
		reclaim(store, () => true, [diedBefore(thisBoot)], past, 3),
		{ freed: 3, failures: [] },
	);
	t.is(readdirSync(store.addresses).length, 2);
	t.like(
		reclaim(store, () => true, [diedBefore(thisBoot)], past, 3),
		{ freed: 1, failures: [] },
	);
	t.deepEqual(readdirSync(store.attachments), ['a@eth0@0']);
});

test('while addresses are free nothing is reclaimed', (t) => {
	const { store, notes } = filled(temporaryDirectory(t), ['old1', 'old2']);
	t.deepEqual(lease(store, 'a'), ['9.0.1.4']);
	t.deepEqual(notes, []);
});

test('an entry without an attachment, as a crash of the machine leaves it, is reclaimed', (t) => {
	const { store } = filled(temporaryDirectory(t), ['a', 'b', 'old', 'c', 'd']);
	unlinkSync(`${store.attachments}/old@eth0@0`);
	t.deepEqual(lease(store, 'e'), ['9.0.1.4']);
});

test('an entry that a crash of the machine has emptied is reclaimed, and its attachment can have a new lease', (t) => {
	const { store, notes } = filled(temporaryDirectory(t), ['a', 'b', 'old', 'c', 'd']);
	truncateSync(`${store.addresses}/9.0.1.4`);
	t.deepEqual(lease(store, 'old'), ['9.0.1.4']);
	t.deepEqual(notes, []);
	endProcess(store);
	truncateSync(`${store.addresses}/9.0.1.4`);
	t.deepEqual(lease(store, 'e'), ['9.0.1.4']);
	t.deepEqual(notes, ['freed 9.0.1.4: its holder was lost in a crash of the machine']);
});

test('what is no lease is kept and named, and does not keep others from being reclaimed', (t) => {
	const directory = temporaryDirectory(t);
	const { store, notes } = filled(directory, ['a', 'old']);
	writeFileSync(`${store.addresses}/9.0.1.4`, 'c1\r\neth0');
	symlinkSync('/etc/passwd', `${store.addresses}/9.0.1.5`);
	linkSync(`${store.addresses}/9.0.1.2`, `${store.addresses}/9.0.1.6`);
	t.deepEqual(lease(store, 'b'), ['9.0.1.3']);
	const ending = 'which is no part of a lease store: look at it and remove it';
	t.deepEqual(notes.toSorted(), [
		'freed 9.0.1.3: its holder, container "old" (interface "eth0"), is of an earlier boot',
		`reading "${store.addresses}/9.0.1.4": a file of another kind, ${ending}`,
		`reading "${store.addresses}/9.0.1.5": a symbolic link, ${ending}`,
	]);
	t.is(readdirSync(store.addresses).length, 5);
});
