import { statSync, writeFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { kernel, type System } from '../../src/ipam/system.ts';
import { hostInterfaceName } from '../../src/linux/host-interface-name.ts';
import {
	anyOf,
	endProcess,
	entriesOf,
	lease,
	leasedAt,
	processAt,
	setOf,
	small6,
	temporaryDirectory,
} from './stores.ts';

const MINUTE = 60_000;
const one = setOf('9.0.1.0/30');

/** What is there of a container, as far as it shows. */
interface Sight {
	/** What is at the path of its namespace: the file that was there, nothing, another one, or an error to look at it. */
	readonly namespace?: 'same' | 'gone' | 'another' | 'EACCES';
	/** Whether the host's end of its interface is there, or the error to look for it. */
	readonly device?: boolean | 'ENOENT';
	/** Milliseconds since the lease was made. */
	readonly age?: number;
	/** What the lease says, when that is something else. */
	readonly netns?: string;
	readonly isUnknown?: boolean;
}

/** A half of one address that a container has, and a process that sees of the container what it is told to. */
function fullOf(t: ExecutionContext, sight: Sight) {
	const directory = temporaryDirectory(t);
	const path = `${directory}/namespace`;
	writeFileSync(path, '');
	const { dev: device, ino: inode } = statSync(path);
	const netns = sight.netns ?? path;
	const holder = { netns, ...(sight.isUnknown === true ? {} : { namespace: { device, inode } }) };
	const before = processAt(directory).store;
	lease(before, 'dead', anyOf(one, small6), { holder });
	endProcess(before);

	const { namespace = 'gone', device: port = false, age = MINUTE } = sight;
	const fail = (code: string): never => {
		throw Object.assign(new Error(code), { code });
	};
	const system: System = {
		...kernel,
		held: new Map(),
		statusOf: ((file: string | number, options?: { follow?: boolean }) => {
			if (file !== netns)
				return typeof file === 'number' ? kernel.statusOf(file) : kernel.statusOf(file, options);
			t.deepEqual(options, { follow: true });
			if (namespace === 'EACCES') return fail('EACCES');
			return namespace === 'gone'
				? undefined
				: { ...kernel.statusOf(path), device, inode: namespace === 'same' ? inode : 1 };
		}) as System['statusOf'],
		deviceExists: (name) => {
			t.is(name, hostInterfaceName({ containerId: 'dead', ifname: 'eth0' }));
			return port === 'ENOENT' ? fail('ENOENT') : port;
		},
	};
	return { ...processAt(directory, system), netns, now: leasedAt + age };
}

for (const [title, sight, what] of [
	['its namespace and its interface are gone', {}, 'is gone'],
	['another namespace is at the path, and its interface is gone', { namespace: 'another' }, 'is another one'],
	['the clock has jumped forwards', { age: 1e12 }, 'is gone'],
] as const) {
	test(`the address of a container is given to another when ${title}`, (t) => {
		const { store, notes, netns, now } = fullOf(t, sight);
		t.deepEqual(lease(store, 'next', anyOf(one), { now }), ['9.0.1.2']);
		t.deepEqual(entriesOf(store), ['9.0.1.2', 'next@eth0@0']);
		const port = hostInterfaceName({ containerId: 'dead', ifname: 'eth0' });
		const holder = 'its holder, container "dead" (interface "eth0"),';
		const why = `is dead: its namespace "${netns}" ${what}, and there is no interface "${port}"`;
		t.deepEqual(notes, [`freed 9.0.1.2: ${holder} ${why}`]);
	});
}

for (const [title, sight] of [
	['its namespace is there', { namespace: 'same' }],
	['its interface is there', { device: true }],
	['both are there', { namespace: 'same', device: true }],
	['another namespace is at the path, but its interface is there', { namespace: 'another', device: true }],
	['it cannot be seen whether its namespace is there', { namespace: 'EACCES' }],
	['it cannot be seen whether its interface is there', { device: 'ENOENT' }],
	['the lease is younger than a minute', { age: MINUTE - 1 }],
	['the clock was set back', { age: -1e12 }],
	['the lease knows no namespace', { isUnknown: true }],
	['the path of its namespace is relative', { netns: 'run/netns/dead' }],
] as const) {
	test(`the address of a container is kept when ${title}`, (t) => {
		const { store, notes, now } = fullOf(t, sight);
		const before = entriesOf(store);
		t.throws(() => lease(store, 'next', anyOf(one), { now }), { code: 'noAddressLeft' });
		t.deepEqual(entriesOf(store), before);
		t.deepEqual(notes, []);
	});
}
