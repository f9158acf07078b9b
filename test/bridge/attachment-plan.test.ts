import test from 'ava';
import { planAttachment } from '../../src/bridge/attachment-plan.ts';
import { macOfGateway } from '../../src/bridge/names.ts';
import type { Route } from '../../src/cni/result.ts';
import { supportedVersions } from '../../src/cni/versions.ts';
import type { RoutedAddress } from '../../src/ipam/routed.ts';
import { requestOf } from '../cni/requests.ts';
import { refuses } from '../cni/assertions.ts';
import { readKeys } from './configurations.ts';

const four = { address: '9.0.1.2/27', gateway: '9.0.1.1' };
const six = { address: 'fd00::2/64', gateway: 'fd00::1' };
const plan = (
	keys: Record<string, unknown>,
	ips: { address: string; gateway?: string }[],
	routes: Route[] = [{ dst: '0.0.0.0/0' }],
	routed: RoutedAddress[] = [],
) => planAttachment(requestOf(keys), readKeys(keys), { ips, routes, routed });

test('an address with its gateway, a route through it, and MACs that follow from both', (t) => {
	t.deepEqual(plan({}, [four]), {
		addresses: [four],
		gateways: ['9.0.1.1/27'],
		routed: [],
		routes: [{ dst: '0.0.0.0/0', gw: '9.0.1.1' }],
		mac: '02:64:09:00:01:02',
		gatewayMac: macOfGateway('9.0.1.1'),
	});
});

test('without a gateway from the address manager, it is the first of the subnet', (t) => {
	t.like(plan({}, [{ address: '9.0.1.70/27' }, { address: 'fd00::2/64' }]), {
		addresses: [{ address: '9.0.1.70/27', gateway: '9.0.1.65' }, six],
		gateways: ['9.0.1.65/27', 'fd00::1/64'],
	});
});

test('a bridge that is no gateway has no addresses, and the container no gateway but the given one', (t) => {
	const { addresses, gateways, routes, gatewayMac } = plan({ isGateway: false }, [{ address: '9.0.1.2/27' }, six]);
	t.deepEqual(addresses, [{ address: '9.0.1.2/27' }, six]);
	t.deepEqual(gateways, []);
	t.deepEqual(routes, [{ dst: '0.0.0.0/0' }]);
	t.regex(gatewayMac, /^02:6c:/);
});

test('the default gateway is a route of each family', (t) => {
	t.deepEqual(plan({ isDefaultGateway: true }, [four, six], []).routes, [
		{ dst: '0.0.0.0/0', gw: '9.0.1.1' },
		{ dst: '::/0', gw: 'fd00::1' },
	]);
});

test('without an address the MAC follows from the attachment, and one that was asked for stands', (t) => {
	t.is(plan({}, [], []).mac, '02:6c:96:c3:6c:0a');
	t.is(plan({ mac: '02:00:00:00:00:07' }, [four]).mac, '02:00:00:00:00:07');
});

test('with IPv6 alone, the MACs follow from it', (t) => {
	t.like(plan({}, [six], []), { mac: '02:66:00:00:00:02', gatewayMac: macOfGateway('fd00::1') });
});

const routed4 = { address: '9.0.1.0', subnet: '9.0.1.0/27', gateway: '169.254.40.7' };
const routed6 = { address: 'fd00::', subnet: 'fd00::/65', gateway: 'fe80::1' };

test('routed addresses: gateways outside their subnets, and routes for the host', (t) => {
	const ips = [
		{ address: '9.0.1.0/32', gateway: '169.254.40.7' },
		{ address: 'fd00::/128', gateway: 'fe80::1' },
	];
	const routes = [{ dst: '169.254.40.7/32', gw: '0.0.0.0', scope: 253 }, { dst: '0.0.0.0/0' }, { dst: '::/0' }];
	t.deepEqual(plan({}, ips, routes, [routed4, routed6]), {
		addresses: ips,
		gateways: ['169.254.40.7/32', 'fe80::1/64'],
		routed: [routed4, routed6],
		routes: [
			{ dst: '169.254.40.7/32', scope: 253 },
			{ dst: '0.0.0.0/0', gw: '169.254.40.7' },
			{ dst: '::/0', gw: 'fe80::1' },
		],
		mac: '02:64:09:00:01:00',
		gatewayMac: macOfGateway('169.254.40.7'),
	});
});

test('routed addresses behind another gateway than the host need no routes of it', (t) => {
	const ips = [{ address: '9.0.1.0/32', gateway: '169.254.40.7' }];
	t.like(plan({ isGateway: false }, ips, [], [routed4]), { gateways: [], routed: [] });
});

test('IPv6 needs an MTU of 1280', (t) => {
	refuses(t, () => plan({ mtu: 1279 }, [four, six]), 7, 'reading mtu: IPv6 needs at least 1280 (RFC 8200), got 1279');
	t.notThrows(() => plan({ mtu: 1279 }, [four]));
	t.notThrows(() => plan({ mtu: 1280 }, [six]));
});

const carries = (cniVersion: string, ips: { address: string }[]) => () => plan({ cniVersion }, ips);
for (const version of supportedVersions) {
	const isOld = version === '0.1.0' || version === '0.2.0';
	test(`${version} carries ${isOld ? 'one address of a family' : 'any addresses, or none'}`, (t) => {
		t.notThrows(carries(version, [four, six]));
		if (isOld) {
			refuses(t, carries(version, []), 7, 'cannot convert: no valid IP addresses');
			refuses(
				t,
				carries(version, [four, { address: '9.0.1.3/27' }]),
				7,
				`cannot convert: CNI version ${version} does not support more than 1 address per family`,
			);
		} else {
			t.notThrows(carries(version, []));
			t.notThrows(carries(version, [four, { address: '9.0.1.3/27' }, six]));
		}
	});
}
