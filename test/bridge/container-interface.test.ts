import test from 'ava';
import {
	awaitDuplicateDetection,
	configureContainer,
	readAddresses,
	readRoutes,
} from '../../src/bridge/container-interface.ts';
import { openNetworkNamespace } from '../../src/linux/network-namespace.ts';
import { bytes, u32 } from '../../src/netlink/attribute.ts';
import { requireIp } from '../../src/netlink/address-family.ts';
import { connect } from '../../src/netlink/connection.ts';
import { findLink } from '../../src/netlink/link.ts';
import { NetlinkError } from '../../src/netlink/netlink-error.ts';
import { addRoute } from '../../src/netlink/route.ts';
import { refuses } from '../cni/assertions.ts';
import { type Answer, dump, fakeKernel, narrated, agreeable, refusal } from '../helpers/fake-kernel.ts';
import { createNamespace } from '../helpers/namespace.ts';
import { fakeHost } from './fake-host.ts';

const TENTATIVE = 0x40;
const DUPLICATE = 0x08;
const link = findLink(fakeHost({ name: 'eth0', kind: 'veth' }).connection, 'eth0')!;

function address(ip: string, flags: number, scope = 0): Buffer {
	const fixed = Buffer.of(10, 64, flags, scope, link.index, 0, 0, 0);
	return Buffer.concat([fixed, bytes(1, requireIp(ip)), u32(8, flags)]);
}

/** A container whose addresses are these at the first look, these at the second, and so on. */
function container(...looks: readonly Buffer[][]) {
	let at = 0;
	return connect(fakeKernel((request) => dump(request, looks[Math.min(at++, looks.length - 1)] ?? [])));
}

const soon = () => performance.now() + 5000;

test('duplicate address detection is waited for', (t) => {
	const tentative = address('fd00::2', TENTATIVE);
	const usable = address('fd00::2', 0);
	t.notThrows(() => awaitDuplicateDetection(container([usable]), link, 0));
	t.notThrows(() => awaitDuplicateDetection(container([tentative], [tentative], [usable]), link, soon()));
	t.notThrows(
		() => awaitDuplicateDetection(container([usable, address('fe80::2', TENTATIVE, 253)]), link, 0),
		'but not of the link-local address',
	);
	t.notThrows(() => awaitDuplicateDetection(container([]), link, 0));
});

test('an address that another machine has', (t) => {
	const looks = [[address('fd00::2', TENTATIVE)], [address('fd00::2', TENTATIVE | DUPLICATE)]];
	refuses(
		t,
		() => awaitDuplicateDetection(container(...looks), link, soon()),
		102,
		'giving "eth0" the address fd00::2/64: another machine of the network has it (duplicate address detection)',
	);
});

test('a detection that does not come to its end', (t) => {
	refuses(
		t,
		() => awaitDuplicateDetection(container([address('fd00::2', TENTATIVE)]), link, performance.now() + 20),
		11,
		'waiting for duplicate address detection of "eth0": not over before the deadline; raise timeout, or leave enabledad out',
	);
});

test('addresses are read back as the kernel writes them', (t) => {
	const connection = container([address('fd00::2', 0), address('fe80::2', 0, 253)]);
	t.deepEqual(readAddresses(connection, link, [{ address: 'FD00:0::2/64', gateway: 'fd00::1' }]), [
		{ address: 'fd00::2/64', gateway: 'fd00::1' },
	]);
	refuses(
		t,
		() => readAddresses(connection, link, [{ address: 'fd00::3/64' }]),
		100,
		'reading back address fd00::3/64 of "eth0": gone right after it was set',
	);
});

test('routes are read back as the kernel writes them', (t) => {
	const { fixed, attributes } = addRoute(link, { dst: 'fd01::/48', gw: 'fd00::1', mtu: 1300 });
	const connection = connect(fakeKernel((request) => dump(request, [Buffer.concat([fixed, ...attributes])])));
	t.deepEqual(readRoutes(connection, link, [{ dst: 'FD01::9/48', gw: 'fd00::1' }]), [
		{ dst: 'fd01::/48', gw: 'fd00::1', mtu: 1300 },
	]);
	refuses(
		t,
		() => readRoutes(connection, link, [{ dst: '::/0' }]),
		100,
		'reading back route ::/0 of "eth0": gone right after it was set',
	);
});

test('what is not wanted is not asked for', (t) => {
	const kernel = fakeKernel(agreeable);
	t.deepEqual([readAddresses(connect(kernel), link, []), readRoutes(connect(kernel), link, [])], [[], []]);
	t.deepEqual(kernel.requests, []);
});

test.serial('addresses, then up, then routes, in one datagram; the first refusal goes on', (t) => {
	const namespace = openNetworkNamespace(createNamespace(t, 'container').path);
	t.teardown(() => namespace.close());
	const configure = (answer: Answer) => {
		const kernel = fakeKernel(answer);
		const { connection, story } = narrated(kernel);
		const addresses = [{ address: '9.0.1.2/27' }, { address: '9.0.1.3/27' }];
		const work = () =>
			configureContainer({ namespace, connection }, link, addresses, [{ dst: '0.0.0.0/0', gw: '9.0.1.1' }], {
				enabledad: false,
				throughHost: false,
			});
		return { kernel, story, work };
	};
	const { kernel, story, work } = configure(agreeable);
	work();
	t.deepEqual(kernel.datagrams, [4]);
	t.deepEqual(story, [
		'adding address 9.0.1.2/27 to "eth0"',
		'adding address 9.0.1.3/27 to "eth0"',
		'changing interface "eth0"',
		'adding route 0.0.0.0/0 via 9.0.1.1 through "eth0"',
	]);
	const failing = configure((request) =>
		request.type === 24
			? [refusal(request, 'ENETUNREACH', { text: 'Nexthop has invalid gateway' })]
			: agreeable(request),
	);
	t.throws(failing.work, {
		instanceOf: NetlinkError,
		message: 'adding route 0.0.0.0/0 via 9.0.1.1 through "eth0": Nexthop has invalid gateway (ENETUNREACH)',
	});
});

test.serial('IPv6 where the device has none', (t) => {
	const namespace = openNetworkNamespace(createNamespace(t, 'container').path);
	t.teardown(() => namespace.close());
	const { connection } = fakeHost();
	const options = { enabledad: false, throughHost: false };
	const work = () => configureContainer({ namespace, connection }, link, [{ address: 'fd00::2/64' }], [], options);
	refuses(t, work, 100, 'preparing "eth0" for IPv6: this kernel has no IPv6, or it is disabled');
});
