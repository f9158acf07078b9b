// Ranges in place of an agent subnet: containers of our bridge get one address of each set.
import { writeFileSync } from 'node:fs';
import test from 'ava';
import { refused, resultOf, silent } from '../helpers/assertions.ts';
import { attach, prepare } from '../helpers/attach.ts';
import { invoke } from '../helpers/cni.ts';
import { createHost } from '../helpers/host.ts';
import { testOn } from '../helpers/requirements.ts';
import { ping } from '../helpers/traffic.ts';

const ofRanges = (ranges: readonly object[], more: object = {}) => ({
	ipam: { agentSubnet: undefined, ranges, ...more },
});

const combinations = {
	'IPv4 and IPv6': {
		ranges: [[{ subnet: '10.1.2.0/24', rangeStart: '10.1.2.9' }], [{ subnet: 'fd01::/64', gateway: 'fd01::ffff' }]],
		routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
		addresses: [
			['10.1.2.9/24', 'fd01::1/64'],
			['10.1.2.10/24', 'fd01::2/64'],
		],
		gateways: ['10.1.2.1/24', 'fd01::ffff/64'],
		reachable: ['10.1.2.10', 'fd01::2', '10.1.2.1', 'fd01::ffff'],
	},
	'two of IPv6': {
		ranges: [[{ subnet: 'fd01::/64' }], [{ subnet: 'fd02::/80' }]],
		routes: [{ dst: '::/0', gw: 'fd02::1' }],
		addresses: [
			['fd01::2/64', 'fd02::2/80'],
			['fd01::3/64', 'fd02::3/80'],
		],
		gateways: ['fd01::1/64', 'fd02::1/80'],
		reachable: ['fd01::3', 'fd02::3', 'fd01::1', 'fd02::1'],
	},
} as const;

for (const [title, { ranges, routes, addresses, gateways, reachable }] of Object.entries(combinations)) {
	testOn('ipv6', `a container has an address of each set, and packets flow by each: ${title}`, (t) => {
		const host = createHost(t);
		const keys = ofRanges(ranges, { routes });
		const one = attach(t, host, keys);
		const other = attach(t, host, keys);
		const onLinks = [
			one.container.addresses('eth0'),
			other.container.addresses('eth0'),
			host.addresses(host.bridge),
		];
		t.deepEqual(
			onLinks.map((each) => each.toSorted()),
			[...addresses, gateways].map((each) => each.toSorted()),
		);
		for (const address of reachable) t.true(ping(one.container, address), address);
		for (const address of addresses[0]) t.true(ping(host, address.split('/')[0] ?? ''), address);
		t.is(one.result.routes.length, routes.length);
		silent(t, one.check());
		for (const each of [one, other]) silent(t, each.del());
		t.deepEqual(host.snapshot().leases, {});
	});
}

test('without routes in the configuration there is no default route, as with host-local', (t) => {
	const { container, result } = attach(t, createHost(t), ofRanges([[{ subnet: '10.1.2.0/24' }]]));
	t.deepEqual(result.routes ?? [], []);
	t.deepEqual(
		container.routes(4).map(({ dst }) => dst),
		['10.1.2.0/24'],
	);
});

test('the second range of a set is used when the first is full, and a set that is full is told by its ranges', (t) => {
	const host = createHost(t);
	const part = { subnet: '10.1.2.0/24', gateway: '10.1.2.254' };
	const ranges = [
		[
			{ ...part, rangeEnd: '10.1.2.1' },
			{ ...part, rangeStart: '10.1.2.253' },
		],
	];
	const [one, two] = [attach(t, host, ofRanges(ranges)), attach(t, host, ofRanges(ranges))];
	t.deepEqual(one.container.addresses('eth0'), ['10.1.2.1/24']);
	t.deepEqual(two.container.addresses('eth0'), ['10.1.2.253/24']);
	for (const address of ['10.1.2.253', '10.1.2.254']) t.true(ping(one.container, address), address);
	const before = host.snapshot();
	const third = prepare(host, ofRanges(ranges));
	const name = '"10.1.2.1-10.1.2.1, 10.1.2.253-10.1.2.254"';
	refused(t, third.add(), 101, `leasing an address of ${name}`, 'all 2 are held');
	t.deepEqual(host.snapshot(), before);
	const status = { command: 'STATUS', configuration: one.configuration };
	refused(t, invoke(host, status), 50, name);
	silent(t, one.del());
	silent(t, invoke(host, status));
	t.is(resultOf(t, third.add()).ips[0]?.address, '10.1.2.1/24');
});

test('what is reserved is not given, asked for or not, also of an agent subnet', (t) => {
	const host = createHost(t);
	const keys = { ipam: { reserved: ['9.0.1.2-9.0.1.9', '9.0.1.16/28'] } };
	const { result } = attach(t, host, keys);
	t.is(result.ips[0]?.address, '9.0.1.10/27');
	const asking = prepare(host, { ...keys, args: { cni: { ips: ['9.0.1.20'] } } });
	refused(t, asking.add(), 102, 'leasing "9.0.1.20"', 'it is reserved');
});

test('the resolver comes from a file, unless the network says another', (t) => {
	const host = createHost(t);
	const resolvConf = `${host.directory}/resolv.conf`;
	writeFileSync(resolvConf, 'nameserver 192.0.2.53\ndomain example.com\n');
	t.deepEqual(attach(t, host, { ipam: { resolvConf } }).result.dns, {
		nameservers: ['192.0.2.53'],
		domain: 'example.com',
	});
	t.deepEqual(attach(t, host, { ipam: { resolvConf }, dns: { search: ['b'] } }).result.dns, { search: ['b'] });
	const before = host.snapshot();
	refused(t, prepare(host, { ipam: { resolvConf: `${resolvConf}.none` } }).add(), 5, `"${resolvConf}.none"`);
	t.deepEqual(host.snapshot(), before);
});

test('Mesos, whose results have one address a family, is refused two before anything is leased', (t) => {
	const host = createHost(t);
	const keys = ofRanges([[{ subnet: '10.1.2.0/24' }], [{ subnet: '10.1.3.0/24' }]]);
	const before = host.snapshot();
	refused(t, prepare(host, { ...keys, cniVersion: undefined }).add(), 7, 'more than 1 address per family');
	t.deepEqual(host.snapshot(), before);
});
