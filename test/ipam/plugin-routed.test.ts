import test from 'ava';
import { encodeResult } from '../../src/cni/result.ts';
import { ipamPlugin } from '../../src/ipam/plugin.ts';
import { configurationOf, minimal, requestOf } from '../cni/requests.ts';
import { network, refused } from './networks.ts';

const container = (containerId: string) => ({ rest: { containerId } });
const routed = { addressing: 'routed', agentSubnet: '9.0.1.0/29', prefix: 29 };
// What follows from the name "dcos".
const gateway = '169.254.45.130';

test('every address of the half is given once, and no other', async (t) => {
	const { add, status, leased } = network(t, routed);
	const given: unknown[] = [];
	for (const name of ['a', 'b', 'c', 'd']) {
		await t.notThrowsAsync(() => status());
		given.push((await add(container(name))).ips);
	}
	t.deepEqual(
		given,
		[0, 1, 2, 3].map((last) => [{ address: `9.0.1.${last}/32`, gateway }]),
	);
	const error = await t.throwsAsync(() => add(container('e')));
	t.regex(error?.message ?? '', /^leasing an address of "9\.0\.1\.0\/30" in network "dcos": all 4 are held/);
	await t.throwsAsync(() => status(), { message: /all 4 are held/ });
	t.is(leased().length, 4);
});

test('the result has a route to the gateway in front of the others, and nothing that is not CNI', async (t) => {
	const { add, check } = network(t, { ...routed, agentSubnet6: 'fd00:9::/64' });
	const result = await add();
	t.deepEqual(encodeResult(result, '1.1.0', { mesos: false }), {
		cniVersion: '1.1.0',
		ips: [
			{ address: '9.0.1.0/32', gateway },
			{ address: 'fd00:9::/128', gateway: 'fe80::1' },
		],
		routes: [
			{ dst: `${gateway}/32`, gw: '0.0.0.0', scope: 253 },
			{ dst: 'fe80::1/128', scope: 253 },
			{ dst: '0.0.0.0/0' },
			{ dst: '::/0' },
		],
	});
	await t.notThrowsAsync(() => check(result));
});

test('without routes of the configuration, there are those to the gateway', async (t) => {
	const { add } = network(t, { ...routed, routes: [] });
	t.deepEqual((await add()).routes, [{ dst: `${gateway}/32`, gw: '0.0.0.0', scope: 253 }]);
});

test('what is reserved is given to nobody, and an address outside is refused', async (t) => {
	const { add } = network(t, { ...routed, reserved: ['9.0.1.0', '9.0.1.3'] });
	t.is((await add(container('a'))).ips[0]?.address, '9.0.1.1/32');
	for (const [ip, code, why] of [
		['9.0.1.0', 102, 'it is reserved'],
		['9.0.1.4', 7, 'it is not in "9.0.1.0/30"'],
	] as const) {
		const asking = { keys: { args: { cni: { ips: [ip] } } }, rest: { containerId: 'b' } };
		const message = `leasing "${ip}", which args.cni.ips asks for: ${why}, ask for one from "9.0.1.0" to "9.0.1.3"`;
		await refused(t, () => add(asking), code, message);
	}
});

test("a range has the gateway that it names, which is nobody else's, or that of the network", async (t) => {
	const ranges = [[{ subnet: '10.1.1.7/32' }, { subnet: '10.1.2.0/30', gateway: '10.1.2.0', rangeEnd: '10.1.2.2' }]];
	const { add } = network(t, { addressing: 'routed', ranges });
	const given: unknown[] = [];
	for (const name of ['a', 'b', 'c']) given.push(...(await add(container(name))).ips);
	t.deepEqual(given, [
		{ address: '10.1.1.7/32', gateway },
		{ address: '10.1.2.1/32', gateway: '10.1.2.0' },
		{ address: '10.1.2.2/32', gateway: '10.1.2.0' },
	]);
});

test('the host is told of the addresses in prevResult, if they are of its subnets', (t) => {
	const told = (ipam: Record<string, unknown>, ...ips: string[]) => {
		const prevResult = { cniVersion: '1.1.0', ips: ips.map((address) => ({ address })) };
		const decoded = { ...minimal, ipam, prevResult };
		return ipamPlugin.routed(requestOf({}, { command: 'CHECK', configuration: configurationOf(decoded, 'CHECK') }));
	};
	t.deepEqual(told(routed, '9.0.1.3/32', '10.0.0.1/32'), [{ address: '9.0.1.3', subnet: '9.0.1.0/30', gateway }]);
	t.deepEqual(told({ agentSubnet: '9.0.1.0/26' }, '9.0.1.3/27'), []);
	t.deepEqual(told(routed), []);
});
