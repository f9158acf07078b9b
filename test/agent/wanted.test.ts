import test from 'ava';
import { changeState, stateOfSnapshot } from '../../src/agent/master/cluster-state.ts';
import { networkWishes } from '../../src/agent/plugin/network-records.ts';
import { UNREACHABLE } from '../../src/agent/kernel/host-state.ts';
import { wishOf } from '../../src/agent/wanted.ts';
import { macOfGateway } from '../../src/bridge/names.ts';
import { agent, cluster, dcos, vteps } from '../helpers/cluster-state.ts';

const options = { ip: '10.64.0.1', underlayMtu: 1500 };

test('a host among others', (t) => {
	t.deepEqual(wishOf(cluster([agent(1), agent(2)]), options), {
		wanted: {
			vtep: {
				name: 'vtep1024',
				vni: 1024,
				port: 64_000,
				mac: '70:b3:d5:80:00:01',
				mtu: 1450,
				local: '10.64.0.1',
				addresses: ['44.128.0.1/20', 'fd01:a::1/64'],
				checksumOffload: false,
			},
			neighbours: new Map([
				['44.128.0.2', '70:b3:d5:80:00:02'],
				['fd01:a::2', '70:b3:d5:80:00:02'],
			]),
			forwarding: new Map([['70:b3:d5:80:00:02', '10.64.0.2']]),
			routes: new Map([
				['9.0.0.0/8', UNREACHABLE],
				['fd01:b::/64', UNREACHABLE],
				['9.0.2.0/24', '44.128.0.2'],
				['fd01:b:0:0:2::/80', 'fd01:a::2'],
			]),
			bridges: new Map([['m-dcos', { network: 'dcos', mtu: 1450, mac: macOfGateway('9.0.1.1') }]]),
			parameters: new Map([
				['ipv4/conf/vtep1024/rp_filter', '2'],
				['ipv4/conf/vtep1024/promote_secondaries', '1'],
				['ipv4/ip_forward', '1'],
				['ipv6/conf/vtep1024/disable_ipv6', '0'],
				['ipv6/conf/vtep1024/accept_ra', '0'],
				['ipv6/conf/vtep1024/accept_dad', '0'],
				['ipv6/conf/all/forwarding', '1'],
			]),
		},
		problems: [],
	});
});

test('a host of which the master knows nothing wants nothing', (t) => {
	t.is(wishOf(cluster([agent(2)]), options), undefined);
});

test('networks of IPv6 alone lead there by IPv6, with forwarding entries of their own', (t) => {
	const network = { name: 'dcos6', overlay6: 'fd01:b::/64', prefix6: 80, state: 'active' } as const;
	const only6 = (nth: number) => ({ ...agent(nth), networks: { dcos6: { subnet6: `fd01:b:0:0:${nth}::/80` } } });
	const wanted = wishOf(cluster([only6(1), only6(2)], [network]), options)?.wanted;
	t.deepEqual(
		wanted?.routes,
		new Map([
			['fd01:b::/64', UNREACHABLE],
			['fd01:b:0:0:2::/80', 'fd01:a::2'],
		]),
	);
	t.is(wanted?.neighbours.get('fd01:a::2'), '70:b3:d5:80:00:02');
	t.is(wanted?.forwarding.get('70:b3:d5:80:00:02'), '10.64.0.2');
	t.like(wanted?.bridges.get('m-dcos6'), { mac: macOfGateway('fd01:b::1:0:0:1') });
});

test('the MTU is what the underlay leaves, unless the master or the host says another', (t) => {
	const mtuOf = (more: object, said?: number) => {
		const state = cluster([agent(1)]);
		const wanted = wishOf(
			{ ...state, vteps: { ...vteps, ...(said !== undefined && { mtu: said }) } },
			{ ...options, ...more },
		)?.wanted;
		t.is(wanted?.bridges.get('m-dcos')?.mtu, wanted?.vtep?.mtu);
		return wanted?.vtep?.mtu;
	};
	t.is(mtuOf({}), 1450);
	t.is(mtuOf({ underlayMtu: 9000 }), 8950);
	t.is(mtuOf({ underlayMtu: 1460 }), 1410);
	t.is(mtuOf({}, 1420), 1420);
	t.is(mtuOf({ mtu: 1300 }, 1420), 1300);
	const overIpv6 = cluster([agent(1, 1, 'fd10::1')]);
	t.is(wishOf(overIpv6, { ip: 'fd10::1', underlayMtu: 1500 })?.wanted.vtep?.mtu, 1430);
});

test('an MTU that is too small for IPv6 is told', (t) => {
	t.deepEqual(wishOf(cluster([agent(1)]), { ...options, underlayMtu: 1320 })?.problems, [
		'IPv6 needs an MTU of 1280, and the underlay leaves 1270',
	]);
});

test('who cannot be reached is left out and told, and the others are not affected', (t) => {
	const without6 = { ...agent(3), vtep: { ip: '44.128.0.3', mac: '70:b3:d5:80:00:03' } };
	const nonsense = { ...agent(4), vtep: { ...agent(4).vtep, ip: 'somewhere' } };
	const wish = wishOf(cluster([agent(1), agent(2), without6, nonsense, agent(5, 5, 'fd10::5')]), options);
	t.deepEqual(wish?.problems, [
		'network "dcos" of agent 10.64.0.3 cannot be reached by IPv6: its VTEP has no IPv6 address',
		'agent 10.64.0.4 cannot be reached from 10.64.0.1: the master says no addresses of it',
		'agent fd10::5 cannot be reached from 10.64.0.1: its address is of the other family',
	]);
	t.deepEqual([...(wish?.wanted.forwarding.values() ?? [])], ['10.64.0.2', '10.64.0.3']);
});

test('texts are written as the kernel writes them', (t) => {
	const shouting = {
		...agent(2),
		vtep: { ip: '44.128.0.2', ip6: 'FD01:A:0::2', mac: '70:B3:D5:80:00:02' },
		networks: { dcos: { subnet: '9.0.2.7/24', subnet6: 'fd01:000b::2:0:0:0/80' } },
	};
	const wanted = wishOf(cluster([agent(1), shouting]), options)?.wanted;
	t.deepEqual(wanted?.neighbours, wishOf(cluster([agent(1), agent(2)]), options)?.wanted.neighbours);
	t.deepEqual(wanted?.routes, wishOf(cluster([agent(1), agent(2)]), options)?.wanted.routes);
});

test('what the master says wrong of this host itself is an error', (t) => {
	const bad = { ...agent(1), vtep: { ...agent(1).vtep, mac: '70:b3' } };
	t.throws(() => wishOf(cluster([bad]), options), {
		instanceOf: TypeError,
		message: 'reading what the master says: "70:b3" is no MAC address',
	});
});

test('a change makes the state that a snapshot would tell', (t) => {
	const first = stateOfSnapshot({ revision: '1', vteps, networks: [dcos], agents: [agent(1), agent(2)] });
	const second = changeState(first, { revision: '2', agents: [agent(3), agent(2, 9)], removedAgents: ['10.64.0.1'] });
	t.deepEqual(second, { ...cluster([agent(2, 9), agent(3)]), revision: '2' });
	t.deepEqual([...first.agents.keys()], ['10.64.0.1', '10.64.0.2'], 'the state before is not touched');
	t.deepEqual(
		changeState(second, { revision: '3', networks: [], vteps, agents: [], removedAgents: [] }).networks,
		[],
	);
});

test('the rules are told of all networks, with both halves of what this host has', (t) => {
	const elsewhere = { name: 'far', overlay: '10.0.0.0/8', prefix: 24, state: 'active' } as const;
	t.deepEqual(networkWishes(cluster([agent(1)], [dcos, elsewhere]), '10.64.0.1'), [
		{
			network: '-agent-dcos',
			bridge: 'm-dcos',
			subnets: ['9.0.1.0/25', '9.0.1.128/25', 'fd01:b:0:0:1::/81', 'fd01:b::1:8000:0:0/81'],
			overlays: ['9.0.0.0/8', 'fd01:b::/64'],
			masquerade: true,
			isolation: 'none',
		},
		{
			network: '-agent-far',
			bridge: 'm-far',
			subnets: [],
			overlays: ['10.0.0.0/8'],
			masquerade: true,
			isolation: 'none',
		},
	]);
});
