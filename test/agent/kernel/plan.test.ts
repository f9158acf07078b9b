import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import {
	type Action,
	bridgeAlias,
	type Bridge,
	NOTHING,
	type Seen,
	type SeenBridge,
	type SeenVtep,
	UNREACHABLE,
	type Vtep,
	type Wanted,
} from '../../../src/agent/kernel/host-state.ts';
import { after } from '../../../src/agent/kernel/model.ts';
import { plan } from '../../../src/agent/kernel/plan.ts';
import { wishOf } from '../../../src/agent/wanted.ts';
import { agent, cluster } from '../../helpers/cluster-state.ts';

const macs = fc.constantFrom('70:b3:d5:80:00:01', '70:b3:d5:80:00:02', '70:b3:d5:80:00:03', '70:b3:d5:80:00:04');
const hosts = fc.constantFrom('10.64.0.1', '10.64.0.2', '10.64.0.3');
const ips = fc.constantFrom('44.128.0.2', '44.128.0.3', '44.128.0.4', 'fd01:a::2', 'fd01:a::3');
const mtus = fc.constantFrom(1400, 1450);
const subnets = fc.constantFrom('9.0.1.0/24', '9.0.2.0/24', '9.0.0.0/8', 'fd01:b:0:0:1::/80', 'fd01:b::/64');
const cidrs = fc.constantFrom('44.128.0.1/20', '44.128.0.9/20', 'fd01:a::1/64');

const maps = <K, V>(keys: fc.Arbitrary<K>, values: fc.Arbitrary<V>): fc.Arbitrary<Map<K, V>> =>
	fc.uniqueArray(fc.tuple(keys, values), { selector: ([key]) => key, maxLength: 5 }).map((pairs) => new Map(pairs));

const tunnels = fc.record({
	name: fc.constant('vtep1024'),
	vni: fc.constantFrom(1024, 1025),
	port: fc.constantFrom(64_000, 4789),
	mac: macs,
	mtu: mtus,
	local: fc.constantFrom('10.64.0.1', '10.64.0.7', 'fd10::1'),
});
const vteps: fc.Arbitrary<Vtep> = fc
	.tuple(tunnels, fc.uniqueArray(cidrs), fc.boolean())
	.map(([tunnel, addresses, checksumOffload]) => ({ ...tunnel, addresses, checksumOffload }));
const seenVteps: fc.Arbitrary<SeenVtep> = fc
	.tuple(tunnels, fc.boolean(), fc.boolean(), fc.constantFrom(true, false, undefined))
	.map(([tunnel, up, learning, checksumOffload]) => ({ ...tunnel, up, learning, checksumOffload }));

const entries = {
	neighbours: maps(ips, macs),
	forwarding: maps(macs, hosts),
	routes: maps(subnets, fc.oneof(ips, fc.constant(UNREACHABLE))),
};
const names = fc.constantFrom('m-dcos', 'm-dcos-1', 'm-old');
const bridges: fc.Arbitrary<Bridge> = fc.record({ network: fc.constantFrom('dcos', 'x'), mtu: mtus, mac: macs });
const seenBridges: fc.Arbitrary<SeenBridge> = fc.record({
	mtu: mtus,
	up: fc.boolean(),
	alias: fc.constantFrom('', bridgeAlias('dcos')),
	hasPorts: fc.boolean(),
});
const parameters = maps(fc.constantFrom('ipv4/ip_forward', 'ipv4/conf/vtep1024/rp_filter'), fc.constantFrom('0', '1'));

const wishes: fc.Arbitrary<Wanted> = fc
	.record({ vtep: fc.option(vteps, { nil: undefined }), ...entries, bridges: maps(names, bridges), parameters })
	// Without a VTEP nothing can go through it.
	.map((wanted) => (wanted.vtep === undefined ? { ...NOTHING, bridges: wanted.bridges } : wanted));
const sights: fc.Arbitrary<Seen> = fc
	.record({
		vtep: fc.option(seenVteps, { nil: undefined }),
		addresses: fc.uniqueArray(cidrs).map((list) => new Set(list)),
		...entries,
		strayRoutes: fc.array(fc.record({ dst: subnets, via: fc.record({ gw: ips, link: fc.nat(9) }) }), {
			maxLength: 2,
		}),
		bridges: maps(names, seenBridges),
		parameters,
	})
	.map((seen) => (seen.vtep === undefined ? { ...seen, ...EMPTY, parameters: new Map<string, string>() } : seen));
const EMPTY = {
	addresses: new Set<string>(),
	neighbours: new Map<string, string>(),
	forwarding: new Map<string, string>(),
	routes: new Map<string, string>(),
};

test('what is planned leads to what is wanted', (t) => {
	fc.assert(
		fc.property(wishes, sights, (wanted, seen) => {
			const end = after(seen, plan(wanted, seen));
			if (wanted.vtep === undefined) {
				t.is(end.vtep, undefined);
			} else {
				const { addresses, ...vtep } = wanted.vtep;
				t.deepEqual(
					{ ...end.vtep, checksumOffload: undefined },
					{ ...vtep, checksumOffload: undefined, up: true, learning: false },
				);
				t.deepEqual([...end.addresses].toSorted(), addresses.toSorted());
			}
			t.deepEqual(sorted(end.neighbours), sorted(wanted.neighbours));
			t.deepEqual(sorted(end.forwarding), sorted(wanted.forwarding));
			t.deepEqual(sorted(end.routes), sorted(wanted.routes));
			t.deepEqual(end.strayRoutes, []);
			for (const [name, { mtu, network }] of wanted.bridges) {
				t.like(end.bridges.get(name), { mtu, up: true, alias: bridgeAlias(network) });
			}
			for (const [name, { hasPorts }] of end.bridges) t.true(hasPorts || wanted.bridges.has(name));
			for (const [name, value] of wanted.parameters) t.is(end.parameters.get(name), value);
		}),
		{ numRuns: 2000 },
	);
});

test('when all is as wanted, there is nothing to do', (t) => {
	fc.assert(
		fc.property(wishes, sights, (wanted, seen) => {
			t.deepEqual(plan(wanted, after(seen, plan(wanted, seen))), []);
		}),
		{ numRuns: 1000 },
	);
});

test('a tunnel that can be changed is never made again, and its MAC address is touched only to change it', (t) => {
	fc.assert(
		fc.property(vteps, sights, (vtep, seen) => {
			const actions = plan({ ...NOTHING, vtep }, seen);
			const isMade = actions.some((action) => action.do === 'createVtep');
			const isRemoved = actions.some((action) => action.do === 'removeVtep');
			const found = seen.vtep;
			const isFamily = found?.local.includes(':') === vtep.local.includes(':');
			t.is(isMade, found === undefined || found.vni !== vtep.vni || found.port !== vtep.port || !isFamily);
			t.is(isRemoved, isMade && found !== undefined);
			for (const action of actions) {
				if (action.do === 'changeVtep' && action.changes.mac !== undefined)
					t.not(action.changes.mac, found?.mac);
			}
		}),
		{ numRuns: 1000 },
	);
	t.pass();
});

/** The host to which a packet goes; UNREACHABLE: it is refused; undefined: it is lost. */
function resolve(state: Pick<Seen, 'neighbours' | 'forwarding' | 'routes'>, dst: string): string | undefined {
	const gw = state.routes.get(dst);
	if (gw === undefined || gw === UNREACHABLE) return gw;
	const mac = state.neighbours.get(gw);
	return mac === undefined ? undefined : state.forwarding.get(mac);
}

/** Hosts come, go, move on the underlay, and are given other VTEPs, but never one that was another's just before. */
const memberships = fc.uniqueArray(
	fc.tuple(fc.integer({ min: 2, max: 6 }), fc.constantFrom(0, 100), fc.constantFrom('10.64.0.', '10.65.0.')),
	{ selector: ([nth]) => nth, maxLength: 5 },
);

test('at every step, what could be reached before and can be after is reached, in the one place or the other', (t) => {
	const wantedOf = (members: readonly (readonly [number, number, string])[]) =>
		wishOf(cluster([agent(1), ...members.map(([nth, by, net]) => agent(nth, nth + by, net + String(nth)))]), {
			ip: agent(1).ip,
			underlayMtu: 1500,
		})?.wanted ?? NOTHING;
	const bare: Seen = {
		...NOTHING,
		vtep: undefined,
		addresses: new Set(),
		strayRoutes: [],
		bridges: new Map(),
	};
	fc.assert(
		fc.property(memberships, memberships, (before, later) => {
			const start = after(bare, plan(wantedOf(before), bare));
			const actions = plan(wantedOf(later), start);
			const end = after(start, actions);
			let state = start;
			for (const action of actions) {
				state = after(state, [action]);
				for (const dst of start.routes.keys()) {
					if (!end.routes.has(dst)) continue;
					const allowed = [resolve(start, dst), resolve(end, dst)];
					t.true(allowed.includes(resolve(state, dst)), `${dst} after ${JSON.stringify(action)}`);
				}
			}
			t.false(actions.some((action) => action.do === 'changeVtep' || action.do === 'removeVtep'));
		}),
		{ numRuns: 500 },
	);
});

test('an agent that has gone takes its own entries with it and no others', (t) => {
	const wanted = (nths: readonly number[]) =>
		wishOf(cluster(nths.map((nth) => agent(nth))), { ip: agent(1).ip, underlayMtu: 1500 })?.wanted ?? NOTHING;
	const seen = seenAfter(t, wanted([1, 2, 3]));
	t.deepEqual(plan(wanted([1, 2]), seen), [
		{ do: 'removeRoute', dst: '9.0.3.0/24', gw: '44.128.0.3' },
		{ do: 'removeRoute', dst: 'fd01:b:0:0:3::/80', gw: 'fd01:a::3' },
		{ do: 'removeNeighbour', ip: '44.128.0.3' },
		{ do: 'removeNeighbour', ip: 'fd01:a::3' },
		{ do: 'removeForwarding', mac: '70:b3:d5:80:00:03', host: '10.64.0.3' },
	] satisfies Action[]);
});

test('another VTEP of an agent: the way is there before the routes turn, and the old one goes last', (t) => {
	const wanted = (vtep: number) =>
		wishOf(cluster([agent(1), agent(2, vtep)]), { ip: agent(1).ip, underlayMtu: 1500 })?.wanted ?? NOTHING;
	t.deepEqual(
		plan(wanted(9), seenAfter(t, wanted(2))).map((action) => action.do),
		[
			'setForwarding',
			'setNeighbour',
			'setNeighbour',
			'setRoute',
			'setRoute',
			'removeRoute',
			'removeNeighbour',
			'removeNeighbour',
			'removeForwarding',
		],
		'in IPv6, the new route takes the place of the old one',
	);
});

test('a MAC address that has to change takes the neighbours with it, which are set again', (t) => {
	const wanted = wishOf(cluster([agent(1), agent(2)]), { ip: agent(1).ip, underlayMtu: 1500 })?.wanted ?? NOTHING;
	const seen = seenAfter(t, wanted);
	const other = { ...wanted, vtep: wanted.vtep && { ...wanted.vtep, mac: '70:b3:d5:80:00:99' } };
	t.deepEqual(
		plan(other, seen).map((action) => action.do),
		['changeVtep', 'setNeighbour', 'setNeighbour'],
	);
});

function seenAfter(t: ExecutionContext, wanted: Wanted): Seen {
	const bare = { ...NOTHING, vtep: undefined, addresses: new Set<string>(), strayRoutes: [], bridges: new Map() };
	const seen = after(bare, plan(wanted, bare));
	t.deepEqual(plan(wanted, seen), []);
	return seen;
}

function sorted(map: ReadonlyMap<string, string>): [string, string][] {
	return [...map].toSorted(([one], [other]) => (one < other ? -1 : 1));
}
