import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync, rmdirSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import test from 'ava';
import { CniError } from '../../src/cni/errors.ts';
import { listLeases } from '../../src/ipam/leases.ts';
import { storeOf } from '../../src/ipam/store.ts';
import { bootId } from '../../src/linux/boot-id.ts';
import { network, refused } from './networks.ts';
import { anyOf, earlierBoot, endProcess, lease, processAt, setOf, temporaryDirectory } from './stores.ts';

test('ADD gives an address of each family with its gateway, the routes, and no interfaces', async (t) => {
	const { add } = network(t, { agentSubnet: '9.0.1.0/26', agentSubnet6: 'fd00:1::/64' });
	t.deepEqual(await add(), {
		interfaces: [],
		ips: [
			{ address: '9.0.1.2/27', gateway: '9.0.1.1' },
			{ address: 'fd00:1::2/65', gateway: 'fd00:1::1' },
		],
		routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
		dns: {},
		routed: [],
	});
});

test('a lease knows the boot, and the namespace if there is one', async (t) => {
	const { add, store } = network(t);
	await add({ rest: { netns: '/proc/self/ns/net' } });
	await add({ rest: { containerId: 'c2', netns: '/nowhere/ns' } });
	const { dev, ino } = statSync('/proc/self/ns/net');
	const [one, two] = listLeases(store).found.toSorted((a, b) => a.containerId.localeCompare(b.containerId));
	t.like(one, { netns: '/proc/self/ns/net', namespace: { device: dev, inode: ino }, bootId: bootId() });
	t.true(one !== undefined && Math.abs(Date.now() - one.time) < 60_000);
	t.is(two?.netns, '/nowhere/ns');
	t.is(two?.namespace, undefined);
});

test('ADD gives what is asked for, and refuses what it cannot give, without a lease', async (t) => {
	const { add, leased } = network(t);
	const asking = (containerId: string, IP: string) => ({
		rest: { containerId, cniArguments: new Map([['IP', IP]]) },
	});
	t.is((await add(asking('c1', '9.0.1.9/8'))).ips[0]?.address, '9.0.1.9/27');
	await refused(
		t,
		() => add(asking('c2', '9.0.1.9')),
		102,
		'leasing "9.0.1.9": it is held already, by container "c1" (interface "eth0")',
	);
	const gateway =
		'leasing "9.0.1.1", which IP in CNI_ARGS asks for: it is the gateway, ask for one from "9.0.1.2" to "9.0.1.30"';
	await refused(t, () => add(asking('c2', '9.0.1.1')), 102, gateway);
	t.deepEqual(leased(), ['9.0.1.9 c1']);
});

test('an ADD that fails for want of an agent file makes no store', async (t) => {
	const { dataDir, add } = network(t, { agentFile: '/nowhere/agent.json' });
	const why = 'there is no such file, start the agent daemon or set ipam.agentSubnet';
	await refused(t, add, 11, `reading the agent subnet of network "dcos" from "/nowhere/agent.json": ${why}`);
	t.deepEqual(readdirSync(dataDir), []);
});

const brokenConfigurations: Readonly<Record<string, Record<string, unknown>>> = {
	'a subnet that is none': { agentSubnet: 'nowhere' },
	'wrong types': { agentSubnet: 7, half: [], routes: 'all', prefix: 'x' },
	'an agent file that is missing': { agentSubnet: null, agentFile: '/nowhere/agent.json' },
	'unsupported keys': { ranges: [] },
};

for (const [title, ipam] of Object.entries(brokenConfigurations)) {
	test(`DEL needs no configuration but the data directory: ${title}`, async (t) => {
		const { add, del, leased } = network(t);
		await add();
		await del({ ipam });
		t.deepEqual(leased(), []);
		await del({ ipam });
	});
}

test('DEL of what never was succeeds and makes nothing, also where there can be no store', async (t) => {
	const { dataDir, del } = network(t);
	await del();
	t.deepEqual(readdirSync(dataDir), []);
	writeFileSync(`${dataDir}/file`, '');
	for (const elsewhere of [`${dataDir}/missing`, `${dataDir}/file`, `/${'x'.repeat(300)}`])
		await del({ ipam: { dataDir: elsewhere } });
	t.deepEqual(readdirSync(dataDir), ['file']);
});

test('DEL with a data directory that is none looks in the default one', async (t) => {
	const { del } = network(t);
	const name = `test-${randomUUID()}`;
	const store = storeOf('/run/mesos-overlay/leases', name);
	const made = ['/run/mesos-overlay/leases', '/run/mesos-overlay'].filter((directory) => !existsSync(directory));
	t.teardown(() => {
		rmSync(store.directory, { recursive: true, force: true });
		for (const directory of made) rmdirSync(directory);
	});
	lease(store, 'c1');
	await del({ ipam: { dataDir: 'leases' }, keys: { name } });
	t.deepEqual(listLeases(store).found, []);
});

test('DEL does not follow a store that is a symbolic link', async (t) => {
	const { dataDir, store, del } = network(t);
	mkdirSync(`${dataDir}/elsewhere`);
	symlinkSync(`${dataDir}/elsewhere`, store.directory);
	const what = 'a symbolic link, which is no part of a lease store: look at it and remove it';
	await refused(t, del, 107, `reading "${store.directory}": ${what}`);
});

test('CHECK is content with what ADD gave, in any spelling, and beside addresses of others', async (t) => {
	const { add, check } = network(t, { agentSubnet: '9.0.1.0/26', agentSubnet6: 'fd00:1::/64' });
	await add();
	await t.notThrowsAsync(
		check({ ips: [{ address: '192.0.2.1/24' }, { address: 'FD00:1:0::2/65' }, { address: '9.0.1.2/27' }] }),
	);
});

const who = 'checking the leases of container "c1" (interface "eth0")';

for (const [title, call, prevResult, why] of [
	['another address', {}, { ips: [{ address: '9.0.1.3/27' }] }, '"9.0.1.2" is leased (prevResult names 9.0.1.3)'],
	['no address', {}, { ips: [] }, '"9.0.1.2" is leased (prevResult names no address)'],
	[
		'another half',
		{ ipam: { half: 'docker' } },
		{ ips: [{ address: '9.0.1.2/27' }] },
		'"9.0.1.2" is not in "9.0.1.32/27" (prevResult names 9.0.1.2)',
	],
	[
		'one family more',
		{ ipam: { agentSubnet6: 'fd00::/64' } },
		{ ips: [{ address: '9.0.1.2/27' }] },
		'no address of "fd00::/65" is leased (prevResult names 9.0.1.2)',
	],
] as const) {
	test(`CHECK names the difference: ${title}`, async (t) => {
		const { add, check } = network(t);
		await add();
		await refused(t, () => check(prevResult, call), 105, `${who}: ${why}`);
	});
}

const damages: Readonly<
	Record<string, readonly [damage: (store: ReturnType<typeof network>['store']) => void, why: string]>
> = {
	'the store gone': [
		({ directory }) => rmSync(directory, { recursive: true }),
		'no address of "9.0.1.0/27" is leased',
	],
	'the attachment gone': [
		({ attachments }) => rmSync(`${attachments}/c1@eth0@0`),
		'no address of "9.0.1.0/27" is leased',
	],
	'the address gone': [
		({ addresses }) => rmSync(`${addresses}/9.0.1.2`),
		'"<attachments>/c1@eth0@0" holds no address',
	],
	'the address given to another': [
		({ addresses }) => {
			rmSync(`${addresses}/9.0.1.2`);
			writeFileSync(`${addresses}/9.0.1.2`, '{}');
		},
		'"<attachments>/c1@eth0@0" holds no address',
	],
	'the lease emptied': [
		({ attachments }) => writeFileSync(`${attachments}/c1@eth0@0`, ''),
		'"<attachments>/c1@eth0@0" is not its lease',
	],
};

for (const [title, [damage, why]] of Object.entries(damages)) {
	test(`CHECK names the damage: ${title}`, async (t) => {
		const { add, check, store } = network(t);
		await add();
		damage(store);
		const message = `${who}: ${why.replace('<attachments>', store.attachments)} (prevResult names 9.0.1.2)`;
		await refused(t, () => check({ ips: [{ address: '9.0.1.2/27' }] }), 105, message);
	});
}

test('CHECK names a lease of an earlier boot', async (t) => {
	const { dataDir, check } = network(t);
	const { store } = processAt(dataDir);
	lease(store, 'c1', undefined, { bootId: earlierBoot });
	const message = `${who}: the lease of "9.0.1.2" is of an earlier boot (prevResult names 9.0.1.2)`;
	await refused(t, () => check({ ips: [{ address: '9.0.1.2/27' }] }), 105, message);
});

test('GC without a list releases nothing; with one, what is not in it', async (t) => {
	const { dataDir, gc, leased } = network(t);
	const { store } = processAt(dataDir);
	lease(store, 'c1');
	lease(store, 'c2');
	endProcess(store);
	await gc({});
	t.deepEqual(leased(), ['9.0.1.2 c1', '9.0.1.3 c2']);
	await gc({ 'cni.dev/valid-attachments': [{ containerID: 'c2', ifname: 'eth0' }] });
	t.deepEqual(leased(), ['9.0.1.3 c2']);
});

test('STATUS is content while each family has an address, and leaves no file', async (t) => {
	const { store, status } = network(t, { agentSubnet: '9.0.1.0/29', prefix: 29, agentSubnet6: 'fd00::/125' });
	await t.notThrowsAsync(status());
	t.deepEqual(readdirSync(store.directory).toSorted(), ['addresses', 'attachments']);
});

for (const family of [4, 6] as const) {
	test(`STATUS fails when the addresses of IPv${family} are used up`, async (t) => {
		const { dataDir, store, status } = network(t, { agentSubnet: '9.0.1.0/26', agentSubnet6: 'fd00::/64' });
		const ipam = family === 4 ? { agentSubnet: '9.0.1.0/29', prefix: 29 } : { agentSubnet6: 'fd00::/125' };
		const set = setOf(family === 4 ? '9.0.1.0/30' : 'fd00::/126');
		const { store: other } = processAt(dataDir);
		for (let turn = family === 4 ? 1 : 2; turn > 0; turn--)
			lease(other, `c${turn}`, anyOf(set), { bootId: bootId() });
		const [half, count] = family === 4 ? ['9.0.1.0/30', 1] : ['fd00::/126', 2];
		const message = `leasing an address of "${half}" in network "dcos": all ${count} are held, "${store.addresses}" shows by whom`;
		await refused(t, () => status({ ipam }), 50, message);
		await t.notThrowsAsync(status());
	});
}

test('STATUS frees the addresses of earlier boots before it says that there are none', async (t) => {
	const { dataDir, status, leased } = network(t, { agentSubnet: '9.0.1.0/29', prefix: 29 });
	const { store } = processAt(dataDir);
	lease(store, 'c1', anyOf(setOf('9.0.1.0/30')), { bootId: earlierBoot });
	endProcess(store);
	await t.notThrowsAsync(status());
	t.deepEqual(leased(), []);
});

for (const [title, content] of [
	['missing', undefined],
	['broken', '{"networks":'],
	['a directory', null],
] as const) {
	test(`STATUS fails when the agent file is ${title}`, async (t) => {
		const agentFile = `${temporaryDirectory(t)}/agent.json`;
		if (content === null) mkdirSync(agentFile);
		if (typeof content === 'string') writeFileSync(agentFile, content);
		const error = await t.throwsAsync(network(t, { agentFile }).status(), { instanceOf: CniError });
		t.is(error.code, 50);
		t.true(error.message.includes(`"${agentFile}"`), error.message);
	});
}

test('STATUS fails when the store cannot be written', async (t) => {
	const { dataDir, status } = network(t);
	const path = `${dataDir}/file`;
	writeFileSync(path, '');
	const message = `making the directory "${path}": a file is in its place, remove it or set ipam.dataDir (EEXIST)`;
	await refused(t, () => status({ ipam: { dataDir: path } }), 50, message);
});

test('STATUS says that a configuration is wrong as ADD says it', async (t) => {
	const { status } = network(t, { agentSubnet: '9.0.1.5/26' });
	await refused(t, status, 7, 'reading ipam.agentSubnet: "9.0.1.5/26" is not aligned, write "9.0.1.0/26"');
});
