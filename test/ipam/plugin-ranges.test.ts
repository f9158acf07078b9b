import { writeFileSync } from 'node:fs';
import test from 'ava';
import { bootId } from '../../src/linux/boot-id.ts';
import { network, refused } from './networks.ts';
import { anyOf, earlierBoot, endProcess, lease, processAt, setsOf, temporaryDirectory } from './stores.ts';

const container = (containerId: string) => ({ rest: { containerId } });
const asking = (containerId: string, ...ips: readonly string[]) => ({
	keys: { args: { cni: { ips } } },
	rest: { containerId },
});

/** Three addresses of two subnets, and two of IPv6. */
const base = {
	ranges: [
		[
			{ subnet: '10.1.2.0/24', rangeStart: '10.1.2.9', rangeEnd: '10.1.2.11', gateway: '10.1.2.10' },
			{ subnet: '10.1.3.0/30' },
		],
		[{ subnet: 'fd00::/126' }],
	],
};

test('a set gives the addresses of its ranges in turn, with the gateway and the prefix length of each', async (t) => {
	const { add, del } = network(t, base);
	const given: unknown[] = [];
	for (let turn = 0; turn < 7; turn++) {
		const { ips, routes } = await add(container(`c${turn}`));
		t.deepEqual(routes, []);
		given.push(ips);
		await del(container(`c${turn}`));
	}
	const one = { address: '10.1.2.9/24', gateway: '10.1.2.10' };
	const two = { address: '10.1.2.11/24', gateway: '10.1.2.10' };
	const three = { address: '10.1.3.2/30', gateway: '10.1.3.1' };
	const low = { address: 'fd00::2/126', gateway: 'fd00::1' };
	const high = { address: 'fd00::3/126', gateway: 'fd00::1' };
	t.deepEqual(given, [
		[one, low],
		[two, high],
		[three, low],
		[one, high],
		[two, low],
		[three, high],
		[one, low],
	]);
});

test('each set goes on where it was, whatever the others do', async (t) => {
	const { add } = network(t, base);
	const first = ({ ips }: { ips: readonly { address: string }[] }) => ips.map(({ address }) => address);
	await add(container('c1'));
	t.deepEqual(first(await add(asking('c2', '10.1.3.2'))), ['10.1.3.2/30', 'fd00::3/126']);
});

test('a set without a free address refuses, and what the sets before it gave is free again', async (t) => {
	const { add, leased, store, status } = network(t, base);
	await add(container('c1'));
	await add(container('c2'));
	const before = leased();
	const message = (sets: string, count: number): string =>
		`leasing an address of "${sets}" in network "dcos": all ${count} are held, "${store.addresses}" shows by whom`;
	await refused(t, () => add(container('c3')), 101, message('fd00::/126', 2));
	t.deepEqual(leased(), before);
	await refused(t, () => status(), 50, message('fd00::/126', 2));
	const { ranges } = base;
	const ipam = { ranges: ranges.slice(0, 1) };
	await t.notThrowsAsync(status({ ipam }));
	await add({ ipam, ...container('c3') });
	await refused(t, () => status({ ipam }), 50, message('10.1.2.9-10.1.2.11, 10.1.3.0/30', 3));
	await refused(t, () => add({ ipam, ...container('c4') }), 101, message('10.1.2.9-10.1.2.11, 10.1.3.0/30', 3));
});

test('what is reserved counts as neither free nor held', async (t) => {
	const { add, status, store } = network(t, { agentSubnet: '9.0.1.0/29', prefix: 29, half: 'all' });
	await add(container('c1'));
	const ipam = { reserved: ['9.0.1.3-9.0.1.5'] };
	t.is((await add({ ipam, ...container('c2') })).ips[0]?.address, '9.0.1.6/29');
	const message = `leasing an address of "9.0.1.0/29" in network "dcos": all 2 are held, "${store.addresses}" shows by whom`;
	await refused(t, () => status({ ipam }), 50, message);
	await t.notThrowsAsync(status());
});

test('a whole set of earlier boots is reclaimed, and of another set no more than its holders have', async (t) => {
	const { dataDir, add, leased, status } = network(t, base);
	const [ipv4, ipv6] = setsOf(base);
	const { store } = processAt(dataDir);
	if (ipv4 === undefined || ipv6 === undefined) return t.fail();
	for (const name of ['old1', 'old2', 'old3']) lease(store, name, anyOf(ipv4), { bootId: earlierBoot });
	lease(store, 'other', [{ set: ipv6, requested: undefined }], { bootId: earlierBoot });
	endProcess(store);
	await t.notThrowsAsync(status());
	t.deepEqual(leased(), ['fd00::2 other']);
	t.deepEqual(
		(await add()).ips.map(({ address }) => address),
		['10.1.2.9/24', 'fd00::3/126'],
	);
});

test('an address is asked for in the set that has it, and its holder is named when it is taken', async (t) => {
	const { add, leased } = network(t, base);
	await add(asking('c1', 'fd00::3', '10.1.2.11'));
	t.deepEqual(leased(), ['10.1.2.11 c1', 'fd00::3 c1']);
	const held = 'leasing "10.1.2.11": it is held already, by container "c1" (interface "eth0")';
	await refused(t, () => add(asking('c2', '10.1.2.11')), 102, held);
	t.deepEqual(leased(), ['10.1.2.11 c1', 'fd00::3 c1']);
});

test('CHECK wants an address of each set, that may still be given', async (t) => {
	const { add, check } = network(t, base);
	const result = await add();
	await t.notThrowsAsync(check(result));
	const prefix = 'checking the leases of container "c1" (interface "eth0")';
	const named = '(prevResult names 10.1.2.9, fd00::2)';
	for (const [ipam, why] of [
		[{ reserved: ['10.1.2.9'] }, '"10.1.2.9" is a gateway, or reserved'],
		[
			{ ranges: [[{ subnet: '10.1.2.0/24', gateway: '10.1.2.9' }], base.ranges[1]] },
			'"10.1.2.9" is a gateway, or reserved',
		],
		[{ ranges: [base.ranges[0], [{ subnet: 'fd01::/64' }]] }, '"fd00::2" is not in "fd01::/64"'],
		[{ ranges: [...base.ranges, [{ subnet: 'fd01::/64' }]] }, 'no address of "fd01::/64" is leased'],
	] as const) {
		await refused(t, () => check(result, { ipam }), 105, `${prefix}: ${why} ${named}`);
	}
});

test('when all ranges are for the runtime to say, an ADD without any is refused, and STATUS has nothing against it', async (t) => {
	const { add, status } = network(t, { ranges: [] });
	const remedy = 'add one, or leave ipam.ranges out for those of an agent subnet';
	const message = `reading ipam.ranges: no range is here or in runtimeConfig.ipRanges, ${remedy}`;
	await refused(t, () => add(), 7, message);
	await t.notThrowsAsync(status());
	const keys = { runtimeConfig: { ipRanges: [[{ subnet: '10.1.2.0/24' }]] } };
	t.is((await add({ keys })).ips[0]?.address, '10.1.2.2/24');
});

test('GC frees all addresses of an attachment that is not listed', async (t) => {
	const { add, gc, leased } = network(t, base);
	for (const name of ['c1', 'c2']) await add(container(name));
	await t.notThrowsAsync(gc({ 'cni.dev/valid-attachments': [{ containerID: 'c2', ifname: 'eth0' }] }));
	t.deepEqual(leased(), ['10.1.2.11 c2', 'fd00::3 c2']);
});

test('the resolver comes from the file, and nothing is leased when it cannot be read', async (t) => {
	const resolvConf = `${temporaryDirectory(t)}/resolv.conf`;
	const { add, leased, status, store } = network(t, { ...base, resolvConf });
	const message = `reading the resolver configuration "${resolvConf}": there is no such file; make it, or set ipam.resolvConf to another`;
	await refused(t, () => add(), 5, message);
	await refused(t, () => status(), 50, message);
	t.deepEqual(leased(), [], store.directory);
	writeFileSync(resolvConf, 'search example.com\nnameserver 192.0.2.1\n');
	t.deepEqual((await add()).dns, { nameservers: ['192.0.2.1'], search: ['example.com'] });
});

test('a set of a thousand ranges gives the last address of the last one', async (t) => {
	const ranges = Array.from({ length: 1000 }, (_, at) => ({ subnet: `10.${at >> 8}.${at & 255}.0/30` }));
	const [set] = setsOf({ ranges: [ranges] });
	const { dataDir, add } = network(t, { ranges: [ranges] });
	const { store } = processAt(dataDir);
	if (set === undefined) return t.fail();
	for (let at = 0; at < 999; at++) lease(store, `c${at}`, anyOf(set), { bootId: bootId() });
	endProcess(store);
	t.deepEqual((await add(container('last'))).ips, [{ address: '10.3.231.2/30', gateway: '10.3.231.1' }]);
});
