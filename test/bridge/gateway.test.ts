import test from 'ava';
import { ensureGateways, gatewayCidrs, withGateways } from '../../src/bridge/gateway.ts';
import { findLink } from '../../src/netlink/link.ts';
import { NetlinkError } from '../../src/netlink/netlink-error.ts';
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

function ensure(host: FakeHost, gateways: readonly string[], force = false) {
	const steps = undoing();
	const bridge = findLink(host.connection, 'm-dcos')!;
	host.story.length = 0;
	ensureGateways(host.connection, bridge, bridge, gateways, force, steps.undo);
	return steps;
}

test('the bridge gets the addresses that it lacks', (t) => {
	const host = fakeHost({ name: 'm-dcos', addresses: ['fe80::1/64', '9.0.1.1/27'] });
	const steps = ensure(host, ['9.0.1.1/27', 'fd00::1/64']);
	t.deepEqual(host.link('m-dcos')?.addresses, ['fe80::1/64', '9.0.1.1/27', 'fd00::1/64']);
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
			ensure(host, [wanted], true);
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
	ensure(host, ['9.0.1.1/27'], true);
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

test('undoing takes the address away, unless the bridge has ports by then, or is gone', async (t) => {
	const host = fakeHost({ name: 'm-dcos' });
	const steps = ensure(host, ['9.0.1.1/27']);
	const port = host.add({ name: 'veth0', kind: 'veth', master: 2 });
	await steps.run();
	t.deepEqual(host.link('m-dcos')?.addresses, ['9.0.1.1/27']);
	host.remove(port.name);
	await steps.run();
	t.deepEqual(host.link('m-dcos')?.addresses, []);
	await t.notThrowsAsync(() => steps.run());
	host.remove('m-dcos');
	await t.notThrowsAsync(() => steps.run());
});
