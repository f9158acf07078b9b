import test from 'ava';
import { ensureGateways, gatewayCidrs, withGateways } from '../../src/bridge/gateway.ts';
import { findLink } from '../../src/netlink/link.ts';
import { NetlinkError } from '../../src/netlink/netlink-error.ts';
import type { RoutedAddress } from '../../src/ipam/routed.ts';
import { refuses } from '../cni/assertions.ts';
import { undoing } from './configurations.ts';
import { fakeHost, type FakeHost, RTM } from './fake-host.ts';

const firsts: readonly [string, string | undefined][] = [
	['9.0.1.2/27', '9.0.1.1'],
	['9.0.1.70/27', '9.0.1.65'],
	['9.0.1.2/8', '9.0.0.1'],
	['9.0.1.2/30', '9.0.1.1'],
	['9.0.1.2/31', undefined],
	['9.0.1.255/32', undefined],
	['fd00::2/64', 'fd00::1'],
	['fd00::ff02/120', 'fd00::ff01'],
	['fd00::2/127', undefined],
	['fd00::2/128', undefined],
];
for (const [address, gateway] of firsts) {
	test(`the gateway of ${address}, when nobody names one, is ${gateway ?? 'none'}`, (t) => {
		t.deepEqual(withGateways([{ address }]), [gateway === undefined ? { address } : { address, gateway }]);
		t.deepEqual(
			gatewayCidrs(withGateways([{ address }])),
			gateway === undefined ? [] : [`${gateway}/${address.split('/')[1]}`],
		);
	});
}

test('a gateway that is named stands', (t) => {
	t.deepEqual(withGateways([{ address: '9.0.1.2/27', gateway: '9.0.1.30', interface: 2 }]), [
		{ address: '9.0.1.2/27', gateway: '9.0.1.30', interface: 2 },
	]);
});

test('each gateway once, with the length of its address', (t) => {
	const addresses = [
		{ address: '9.0.1.2/27', gateway: '9.0.1.1' },
		{ address: '9.0.1.3/27', gateway: '9.0.1.1' },
		{ address: 'fd00::2/64', gateway: 'fd00::1' },
		{ address: '10.0.0.1/32' },
	];
	t.deepEqual(gatewayCidrs(addresses), ['9.0.1.1/27', 'fd00::1/64']);
});

test('a link-local IPv6 gateway has the length of its link', (t) => {
	t.deepEqual(gatewayCidrs([{ address: 'fd00::/128', gateway: 'fe80::1' }]), ['fe80::1/64']);
	t.deepEqual(gatewayCidrs([{ address: '9.0.1.0/32', gateway: '169.254.40.7' }]), ['169.254.40.7/32']);
});

interface Circumstances {
	readonly force?: boolean;
	readonly routed?: readonly RoutedAddress[];
	readonly isShared?: () => boolean;
}

function ensure(
	host: FakeHost,
	gateways: readonly string[],
	{ force = false, routed = [], isShared = () => true }: Circumstances = {},
) {
	const steps = undoing();
	const link = findLink(host.connection, 'm-dcos')!;
	host.story.length = 0;
	ensureGateways({ host: host.connection, link, isShared }, gateways, routed, force, steps.undo);
	return steps;
}

test('the bridge gets the addresses that it lacks', (t) => {
	const host = fakeHost({ name: 'm-dcos', addresses: ['fe80::64:9ff:fe00:101/64', '9.0.1.1/27'] });
	const steps = ensure(host, ['9.0.1.1/27', 'fd00::1/64']);
	t.deepEqual(host.link('m-dcos')?.addresses, ['fe80::64:9ff:fe00:101/64', '9.0.1.1/27', 'fd00::1/64']);
	t.deepEqual(steps.names, ['address fd00::1/64 of "m-dcos"']);
	t.deepEqual(host.story, ['listing the addresses of "m-dcos"', 'adding address fd00::1/64 to "m-dcos"']);
});

test('a bridge that has them all is not touched, however they are written', (t) => {
	const host = fakeHost({ name: 'm-dcos', addresses: ['9.0.1.1/27', 'fd00::1/64'] });
	t.deepEqual(ensure(host, ['9.0.1.1/27', 'FD00:0::1/64']).names, []);
	t.deepEqual(host.story, ['listing the addresses of "m-dcos"']);
});

test('without gateways, nothing is asked', (t) => {
	const host = fakeHost({ name: 'm-dcos' });
	ensure(host, []);
	t.deepEqual(host.story, []);
});

test('an address that another ADD gives at the same time is not ours to remove', (t) => {
	const host = fakeHost({ name: 'm-dcos' });
	host.before(RTM.newAddress, () => host.link('m-dcos')!.addresses.push('9.0.1.1/27'));
	t.deepEqual(ensure(host, ['9.0.1.1/27']).names, []);
});

const conflicts: readonly [string, string, boolean][] = [
	['9.0.1.1/27', '9.0.1.1/26', true],
	['9.0.1.1/27', '10.0.0.1/8', true],
	['fd00::1/64', 'fd00::9/64', true],
	['fd00::1/64', 'fd00::1/48', true],
	['fd00:0:0:1::1/64', 'fd00::1/48', true],
	['fd00::1/48', 'fd00:0:0:1::1/64', true],
	['fd00::1/64', 'fd00:0:0:1::1/64', false],
	['fd00::1/64', '9.0.1.1/27', false],
	['9.0.1.1/27', 'fd00::1/64', false],
];
for (const [wanted, present, excluded] of conflicts) {
	test(`${wanted} on a bridge that has ${present}: ${excluded ? 'refused, or replaced when forced' : 'beside it'}`, (t) => {
		const host = fakeHost({ name: 'm-dcos', addresses: [present] });
		if (excluded) {
			refuses(
				t,
				() => ensure(host, [wanted]),
				7,
				`giving "m-dcos" the gateway address ${wanted}: it already has ${present}; set forceAddress to replace that, or delete "m-dcos"`,
			);
			t.deepEqual(host.link('m-dcos')?.addresses, [present]);
			ensure(host, [wanted], { force: true });
			t.deepEqual(host.link('m-dcos')?.addresses, [wanted]);
		} else {
			ensure(host, [wanted]);
			t.deepEqual(host.link('m-dcos')?.addresses, [present, wanted]);
		}
	});
}

test('two gateways of one subnet do not exclude each other', (t) => {
	const host = fakeHost({ name: 'm-dcos', addresses: ['9.0.1.1/27'] });
	ensure(host, ['9.0.1.1/27', '9.0.1.33/27']);
	t.deepEqual(host.link('m-dcos')?.addresses, ['9.0.1.1/27', '9.0.1.33/27']);
});

test('a wrong address that somebody else removes first is no error', (t) => {
	const host = fakeHost({ name: 'm-dcos', addresses: ['9.0.1.1/26'] });
	host.before(RTM.delAddress, () => void host.link('m-dcos')!.addresses.pop());
	ensure(host, ['9.0.1.1/27'], { force: true });
	t.deepEqual(host.link('m-dcos')?.addresses, ['9.0.1.1/27']);
});

test("the kernel's refusal goes on", (t) => {
	const host = fakeHost({ name: 'm-dcos' });
	host.refuseNext(RTM.newAddress, 'EPERM');
	t.throws(() => ensure(host, ['9.0.1.1/27']), {
		instanceOf: NetlinkError,
		message: 'adding address 9.0.1.1/27 to "m-dcos": EPERM',
	});
});

test('undoing takes the address away, unless others use it by then, or the bridge is gone', async (t) => {
	const host = fakeHost({ name: 'm-dcos' });
	let shared = true;
	const steps = ensure(host, ['9.0.1.1/27'], { isShared: () => shared });
	await steps.run();
	t.deepEqual(host.link('m-dcos')?.addresses, ['9.0.1.1/27']);
	shared = false;
	await steps.run();
	t.deepEqual(host.link('m-dcos')?.addresses, []);
	await t.notThrowsAsync(() => steps.run());
	host.remove('m-dcos');
	await t.notThrowsAsync(() => steps.run());
});

const routed: readonly RoutedAddress[] = [
	{ address: '9.0.1.5', subnet: '9.0.1.0/27', gateway: '169.254.40.7' },
	{ address: 'fd00::5', subnet: 'fd00::/65', gateway: 'fe80::1' },
];
const onLink = ['169.254.40.7/32', 'fe80::1/64'];
const bridged = ['9.0.1.1/27', 'fd00::1/65'];

test('the gateways of routed addresses stand beside each other, what the kernel makes, and other subnets', (t) => {
	const present = ['169.254.41.9/32', 'fe80::64:9ff:fe00:101/64', '10.0.0.1/24', 'fd01::1/64', '9.0.1.33/27'];
	const host = fakeHost({ name: 'm-dcos', addresses: [...present] });
	ensure(host, onLink, { routed });
	t.deepEqual(host.link('m-dcos')?.addresses, [...present, ...onLink]);
});

const changes: readonly [string, readonly string[], readonly string[], readonly RoutedAddress[]][] = [
	['from bridged to routed', bridged, onLink, routed],
	['from routed to bridged', onLink, bridged, []],
];
for (const [title, present, wanted, addresses] of changes) {
	for (const [family, at] of [
		['IPv4', 0],
		['IPv6', 1],
	] as const) {
		const [before = '', after = ''] = [present[at], wanted[at]];
		test(`a bridge that goes over ${title}: ${family}`, (t) => {
			const host = fakeHost({ name: 'm-dcos', addresses: [before], routes: ['9.0.1.0/27 -', 'fd00::/65 -'] });
			const circumstances = { routed: addresses.slice(at, at + 1) };
			const said = `giving "m-dcos" the gateway address ${after}: it already has ${before}; set forceAddress to replace that, or delete "m-dcos"`;
			refuses(t, () => ensure(host, [after], circumstances), 7, said);
			t.deepEqual(host.link('m-dcos')?.addresses, [before]);
			ensure(host, [after], { ...circumstances, isShared: () => false });
			t.deepEqual(host.link('m-dcos')?.addresses, [after], 'when nobody is on the bridge');
			const routes = host.link('m-dcos')!.routes.filter((route) => route.includes(':') === (at === 1));
			t.is(routes.length, title === 'from bridged to routed' ? 1 : 0, 'the route of the routed goes with them');
		});
	}
}

test("a link-local gateway without a route to the subnet is in nobody's way", (t) => {
	const host = fakeHost({ name: 'm-dcos', addresses: [...onLink], routes: ['9.0.2.0/27 -'] });
	ensure(host, bridged);
	t.deepEqual(host.link('m-dcos')?.addresses, [...onLink, ...bridged]);
});

test('an address in the subnet of routed addresses that is not that of their other addressing', (t) => {
	const host = fakeHost({ name: 'm-dcos', addresses: ['9.0.1.7/24'] });
	const circumstances = { routed, isShared: () => false };
	refuses(
		t,
		() => ensure(host, onLink, circumstances),
		7,
		'giving "m-dcos" the gateway address 169.254.40.7/32: it already has 9.0.1.7/24; set forceAddress to replace that, or delete "m-dcos"',
	);
	ensure(host, onLink, { ...circumstances, force: true });
	t.deepEqual(host.link('m-dcos')?.addresses, onLink);
});

test('addresses without a subnet that another IPAM plugin gives exclude none', (t) => {
	const host = fakeHost({ name: 'm-dcos', addresses: ['10.0.0.1/24'] });
	ensure(host, ['10.0.0.9/32']);
	t.deepEqual(host.link('m-dcos')?.addresses, ['10.0.0.1/24', '10.0.0.9/32']);
});
