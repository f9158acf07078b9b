import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { listAttachments, listLeases } from '../../src/ipam/leases.ts';
import { anyOf, lease, processAt, small, small6, temporaryDirectory } from './stores.ts';

test('a network that was never used has no leases', (t) => {
	const { store } = processAt(temporaryDirectory(t));
	t.deepEqual(listLeases(store), { found: [], problems: [] });
	t.deepEqual(listAttachments(store), { found: [], problems: [] });
});

test('every lease is listed, every attachment once, and what is neither is named', (t) => {
	const { store } = processAt(temporaryDirectory(t));
	lease(store, 'c1', anyOf(small, small6));
	lease(store, 'c2');
	writeFileSync(`${store.addresses}/9.0.1.5`, '');
	linkSync(`${store.addresses}/9.0.1.3`, `${store.addresses}/9.0.1.6`);
	symlinkSync('/etc/passwd', `${store.addresses}/passwd`);
	writeFileSync(`${store.attachments}/c3@eth0@0`, '');
	writeFileSync(`${store.attachments}/lock`, '');
	mkdirSync(`${store.attachments}/c4@eth0@0`);

	const leases = listLeases(store);
	t.deepEqual(leases.found.map(({ address, containerId }) => `${address} ${containerId}`).toSorted(), [
		'9.0.1.2 c1',
		'9.0.1.3 c2',
		'fd00::2 c1',
	]);
	const attachments = listAttachments(store);
	t.deepEqual(attachments.found.map(({ containerId, ifname }) => `${containerId} ${ifname}`).toSorted(), [
		'c1 eth0',
		'c2 eth0',
		'c3 eth0',
	]);
	const ending = 'which is no part of a lease store: look at it and remove it';
	t.deepEqual([...leases.problems, ...attachments.problems].map(({ message }) => message).toSorted(), [
		`reading "${store.addresses}/9.0.1.5": a file of another kind, ${ending}`,
		`reading "${store.addresses}/9.0.1.6": a file of another kind, ${ending}`,
		`reading "${store.addresses}/passwd": a symbolic link, ${ending}`,
		`reading "${store.attachments}/c4@eth0@0": a directory, ${ending}`,
		`reading "${store.attachments}/lock": a file of another kind, ${ending}`,
	]);
});
