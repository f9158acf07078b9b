// VLANs on the bridge's ports.
import type { ExecutionContext } from 'ava';
import test from 'ava';
import { refused, silent } from '../helpers/assertions.ts';
import { attach, prepare } from '../helpers/attach.ts';
import { invokeLater } from '../helpers/cni.ts';
import { createHost, type Host } from '../helpers/host.ts';
import { everyFamily, familiesOf, half } from '../helpers/network-configuration.ts';
import { supports, testOn } from '../helpers/requirements.ts';
import { ping, unreachable } from '../helpers/traffic.ts';

function tagsOf(host: Host, port: string | undefined): string[] {
	const rows: unknown = JSON.parse(
		host.must(['bridge', '-json', '-compressvlans', 'vlan', 'show', 'dev', port ?? '']),
	);
	const [row] = rows as { vlans: { vlan: number; vlanEnd?: number; flags?: string[] }[] }[];
	return (row?.vlans ?? []).map(
		({ vlan, vlanEnd, flags = [] }) =>
			`${vlan}${vlanEnd === undefined ? '' : `-${vlanEnd}`}${flags.includes('PVID') ? ' PVID' : ''}`,
	);
}

const trunk = [{ id: 101 }, { minID: 200, maxID: 210 }];
const layer2: readonly (readonly [string, Record<string, unknown>, readonly string[]])[] = [
	['vlan 100', { vlan: 100, preserveDefaultVlan: false }, ['100 PVID']],
	['vlan 100 beside the default one', { vlan: 100, preserveDefaultVlan: true }, ['1', '100 PVID']],
	['a trunk', { vlanTrunk: trunk }, ['1 PVID', '101', '200-210']],
	['vlan 100 and a trunk', { vlan: 100, vlanTrunk: trunk }, ['100 PVID', '101', '200-210']],
];
for (const [title, keys, tags] of layer2) {
	testOn('bridge-vlan-filtering', `${title} on the port`, (t) => {
		const host = createHost(t);
		const { port, check } = attach(t, host, { ipam: null, ...keys });
		t.is(host.link(host.bridge)?.linkinfo?.info_data?.['vlan_filtering'], 1);
		t.deepEqual(tagsOf(host, port()?.ifname), [...tags]);
		silent(t, check());
		const left = tags.at(-1)?.split(/[ -]/)[0] ?? '';
		host.must(['bridge', 'vlan', 'del', 'vid', left, 'dev', port()?.ifname ?? '']);
		refused(t, check(), 105, `is not in VLAN ${left}`);
	});
}

for (const family of everyFamily) {
	testOn('bridge-vlan-filtering', `the gateway of vlan 100 is a port of that vlan: ${family}`, (t) => {
		const host = createHost(t);
		const { container, result, check, del } = attach(t, host, { vlan: 100 }, { family });
		const gateway = `${host.bridge}.100`;
		t.is(result.interfaces[3]?.name, gateway);
		t.is(host.links().length, 5);
		t.deepEqual(host.addresses(host.bridge), []);
		t.deepEqual(
			host.addresses(gateway),
			familiesOf(family).map((number) => `${half[number].gateway}/${half[number].prefix}`),
		);
		t.false(host.link(gateway)?.addr_info?.some(({ tentative }) => tentative));
		for (const number of familiesOf(family)) t.true(ping(container, half[number].gateway));
		silent(t, check());
		silent(t, del());
	});
}

testOn('bridge-vlan-filtering', 'a port in all VLANs does not keep others from theirs', (t) => {
	const host = createHost(t);
	const all = attach(t, host, { ipam: null, vlanTrunk: [{ minID: 1, maxID: 4094 }] });
	const one = attach(t, host, { ipam: null, vlan: 100 });
	t.deepEqual(tagsOf(host, all.port()?.ifname), ['1 PVID', '2-4094']);
	t.deepEqual(tagsOf(host, one.port()?.ifname), ['100 PVID']);
	silent(t, all.check());
});

testOn('bridge-vlan-filtering', 'containers that come to a vlan at once share its gateway', async (t) => {
	const host = createHost(t);
	const prepared = Array.from({ length: 4 }, () => {
		const container = host.container();
		return { container, call: prepare(host, { vlan: 100 }, { container }).call('ADD') };
	});
	const answers = await Promise.all(prepared.map(({ call }) => invokeLater(host, call)));
	t.deepEqual(
		answers.map(({ status }) => status),
		[0, 0, 0, 0],
	);
	for (const { container } of prepared) t.true(ping(container, half[4].gateway));
});

for (const addressing of ['bridged', 'routed']) {
	testOn('bridge-vlan-filtering', `an ADD that fails with the gateway made leaves nothing: ${addressing}`, (t) => {
		const host = createHost(t);
		const keys = { vlan: 100, ipam: { addressing } };
		const protect = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"';
		const by = ['sh', '-c', protect, '/proc/sys/net/ipv4/ip_forward'];
		const leavesNothing = (who: string) => {
			host.must(['sh', '-c', 'echo 0 > /proc/sys/net/ipv4/ip_forward']);
			const before = host.snapshot();
			refused(t, prepare(host, keys).add({ by }), 100, 'ip_forward');
			t.deepEqual(host.snapshot(), before, who);
		};
		leavesNothing('nobody is on the bridge');
		attach(t, host, { vlan: 200, ipam: { addressing, agentSubnet: '9.0.2.0/26' } });
		leavesNothing('somebody is in another vlan');
		attach(t, host, keys);
		leavesNothing('somebody is in the same vlan');
	});
}

testOn('bridge-vlan-filtering', 'gateway and route of routed addresses are those of the interface in the vlan', (t) => {
	const host = createHost(t);
	const attached = [1, 2].map(() => attach(t, host, { vlan: 100, ipam: { addressing: 'routed' } }));
	const [one, other] = attached.map(({ result }) => result.ips[0]);
	t.deepEqual([one?.address, other?.address], ['9.0.1.0/32', '9.0.1.1/32']);
	t.deepEqual(host.addresses(host.bridge), []);
	t.deepEqual(host.addresses(`${host.bridge}.100`), [`${one?.gateway}/32`]);
	t.true(attached.every(({ container }) => ping(container, one?.gateway ?? '')));
	t.true(attached[0] !== undefined && ping(attached[0].container, '9.0.1.1'));
	t.true(ping(host, '9.0.1.0'));
	for (const { check } of attached) silent(t, check());
});

testOn('bridge-vlan-filtering', 'containers of two vlans do not reach each other', (t) => {
	const host = createHost(t);
	const one = attach(t, host, { vlan: 100, isGateway: false });
	const same = attach(t, host, { vlan: 100, isGateway: false });
	const other = attach(t, host, { vlan: 200, isGateway: false });
	t.true(ping(one.container, same.result.ips[0]?.address.replace(/\/.*/u, '') ?? ''));
	t.true(unreachable(other.container, half[4].address(1)));
});

const withoutFiltering = (t: ExecutionContext) => {
	const host = createHost(t);
	const before = host.snapshot();
	refused(t, prepare(host, { vlan: 100 }).add(), 100, 'vlan');
	t.deepEqual(host.snapshot(), before);
};
const title = 'a kernel without VLAN filtering refuses a vlan, and nothing is left';
if (supports('bridge-vlan-filtering'))
	test.skip(`${title} (skipped: this kernel has bridge VLAN filtering)`, withoutFiltering);
else test(title, withoutFiltering);

const wrong: readonly (readonly [Record<string, unknown>, string])[] = [
	[{ vlan: -1 }, 'vlan'],
	[{ vlan: 4095 }, 'vlan'],
	[{ vlan: '100' }, 'vlan'],
	[{ vlanTrunk: [{ minID: 5 }] }, 'maxID'],
	[{ vlanTrunk: [{ maxID: 5 }] }, 'minID'],
	[{ vlanTrunk: [{ minID: 6, maxID: 5 }] }, 'maxID'],
	[{ vlanTrunk: [{ id: 0 }] }, 'id'],
	[{ vlanTrunk: [{ id: 4095 }] }, 'id'],
	[{ vlanTrunk: [{ minID: 1, maxID: 4095 }] }, 'maxID'],
];
for (const [keys, fragment] of wrong) {
	test(`${JSON.stringify(keys)} is refused`, (t) => {
		const host = createHost(t);
		refused(t, prepare(host, keys).add(), 7, fragment);
		t.is(host.links().length, 1);
	});
}
