import test from 'ava';
import { endQuarantine } from '../../src/cli/end-quarantine.ts';
import { listTaken } from '../../src/ipam/leases.ts';
import { releaseAttachment } from '../../src/ipam/release.ts';
import { kernel } from '../../src/ipam/system.ts';
import {
	endProcess,
	entriesOf,
	exactly,
	lease,
	past,
	processAt,
	temporaryDirectory,
	thisBoot,
} from '../ipam/stores.ts';

/** A store where "a" has left 9.0.1.2 in quarantine, and the lease that says so. */
function createStoreWithQuarantine(t: Parameters<typeof temporaryDirectory>[0]) {
	const now = { uptime: 1000 };
	const system = { ...kernel, held: new Map(), bootId: () => thisBoot, uptime: () => now.uptime };
	const { store } = processAt(temporaryDirectory(t), system);
	const add = (containerId: string): void => {
		lease(store, containerId, exactly('9.0.1.2'), { holder: { quarantine: { seconds: 60, until: 0 } } });
		endProcess(store);
	};
	const del = (containerId: string) => releaseAttachment(store, { containerId, ifname: 'eth0' }, past);
	add('a');
	del('a');
	const [listed] = listTaken(store).found;
	if (listed === undefined) throw new Error('nothing is in quarantine');
	return { store, listed, add, del, now };
}

test('the address is free', (t) => {
	const { store, listed } = createStoreWithQuarantine(t);
	t.true(endQuarantine(store, listed, past));
	t.deepEqual(entriesOf(store), []);
	t.false(endQuarantine(store, listed, past));
});

test('an address that was given again since it was listed stays', (t) => {
	const { store, listed, add } = createStoreWithQuarantine(t);
	add('b');
	t.false(endQuarantine(store, listed, past));
	t.deepEqual(entriesOf(store), ['9.0.1.2', 'b@eth0@0']);
});

test('a quarantine that has begun since is another one, even of the same container', (t) => {
	const { store, listed, add, del, now } = createStoreWithQuarantine(t);
	now.uptime++;
	add('a');
	del('a');
	t.false(endQuarantine(store, listed, past));
	t.deepEqual(entriesOf(store), ['9.0.1.2']);
});

test('it is not ended under a call that works on it', (t) => {
	const { store, listed } = createStoreWithQuarantine(t);
	const descriptor = kernel.openFile(`${store.addresses}/9.0.1.2`, 0);
	t.true(kernel.lock(descriptor, past));
	t.throws(() => endQuarantine(store, listed, past), { code: 'busy' });
	kernel.closeFile(descriptor);
	t.deepEqual(entriesOf(store), ['9.0.1.2']);
});
