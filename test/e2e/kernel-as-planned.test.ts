// What is planned for any state leads the real kernel to that state, from wherever it is.
import fc from 'fast-check';
import { createCluster, program } from '../helpers/cluster.ts';
import { agent, cluster, dcos, vteps } from '../helpers/cluster-state.ts';
import { testOn } from '../helpers/requirements.ts';

const members = fc.uniqueArray(
	fc.tuple(fc.integer({ min: 2, max: 9 }), fc.integer({ min: 2, max: 9 }), fc.constantFrom('10.64.0.', '10.65.0.')),
	{ selector: ([, vtep]) => vtep, maxLength: 8 },
);
const states = fc
	.record({
		members,
		self: fc.constantFrom(1, 11),
		mtu: fc.constantFrom(undefined, 1400),
		port: fc.constantFrom(64_000, 64_001),
		has: fc.boolean(),
	})
	.map(({ members: others, self, mtu, port, has }) => ({
		...cluster(
			[agent(1, self), ...others.map(([nth, vtep, net]) => agent(nth, vtep, net + String(vtep)))],
			has ? [dcos] : [],
		),
		vteps: { ...vteps, port, ...(mtu !== undefined && { mtu }) },
	}));

/** Somebody else's doing. */
const damages = fc.constantFrom(
	'true',
	'ip route add 9.0.2.0/24 via 10.64.0.77 proto 124',
	'ip route prepend 9.0.3.0/24 via 44.128.0.9 dev vtep1024 onlink proto 124',
	'ip -6 route append fd01:b:0:0:2::/80 via fd10::77 proto 124 metric 512',
	'ip link set vtep1024 down',
	'ip link set vtep1024 address 02:00:00:00:00:07',
	'ip address add 44.128.0.77/20 dev vtep1024',
	'ip address flush dev vtep1024',
	'ip neigh flush dev vtep1024',
	'bridge fdb add 02:00:00:00:00:09 dev vtep1024 dst 10.64.0.9 self permanent',
	'bridge fdb append 00:00:00:00:00:00 dev vtep1024 dst 10.64.0.9 self permanent',
	'ip link set vtep1024 type vxlan learning',
	'ip link del vtep1024',
	'ip link set m-dcos mtu 1300 down',
);

testOn(['vxlan', 'ipv6'], 'from any state and after any damage to any other, and nothing more to do then', (t) => {
	const [host] = createCluster(t, 1).hosts;
	if (host === undefined) throw new Error('one host');
	fc.assert(
		fc.property(states, fc.array(damages, { maxLength: 3 }), (state, done) => {
			for (const damage of done) host.run(['sh', '-c', damage]);
			t.deepEqual(program(host, state).failures, [], done.join('; '));
			t.deepEqual(program(host, state).actions, [], done.join('; '));
		}),
		{ numRuns: 60 },
	);
	program(host);
	t.is(
		host.run(['sh', '-c', 'ip route show proto 124; ip -6 route show proto 124; ip link show vtep1024 2>/dev/null'])
			.stdout,
		'',
	);
});
