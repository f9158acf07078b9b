// What leaves all networks goes by the host's address; what stays inside keeps its own.
import type { ExecutionContext } from 'ava';
import { ask, serve } from '../helpers/answering.ts';
import { attach } from '../helpers/attach.ts';
import type { Host } from '../helpers/host.ts';
import { testOnBackends } from '../helpers/backends.ts';
import type { Namespace } from '../helpers/namespace.ts';
import { half } from '../helpers/network-configuration.ts';
import { outside, uplink } from '../helpers/outside.ts';

const overlays = { overlay: '9.0.0.0/8', overlay6: 'fd00:9::/32', prefix6: 64 };
const dual = { family: 'dual stack' } as const;

/** Another host of the overlay, as the machine outside shows it: an address of the overlay that answers there. */
const elsewhere = { 4: '9.0.2.2', 6: 'fd00:9:0:2::2' } as const;

/** A machine outside that answers by its own addresses and by those of the overlay, and knows the way back. */
async function wholeWorld(t: ExecutionContext, host: Host): Promise<Namespace> {
	const machine = outside(t, host);
	for (const family of [4, 6] as const) {
		machine.must(['ip', 'address', 'add', `${elsewhere[family]}/${family === 4 ? 32 : 128}`, 'dev', 'lo', 'nodad']);
		machine.must(['ip', 'link', 'set', 'lo', 'up']);
		host.must(['ip', 'route', 'add', elsewhere[family], 'via', uplink[family].outside]);
		for (const subnet of family === 4 ? ['9.0.1.0/24', '10.1.0.0/24'] : ['fd00:9:0:1::/64', 'fd01::/64']) {
			machine.must(['ip', 'route', 'add', subnet, 'via', uplink[family].host]);
		}
	}
	await serve(t, machine, 'world', [80]);
	return machine;
}

/** As whom a container is seen by the machine outside, and elsewhere in the overlay, over TCP and UDP. */
async function seenAs(container: Namespace, family: 4 | 6): Promise<{ outside: string[]; elsewhere: string[] }> {
	const protocols = ['tcp', 'udp'] as const;
	const [one = [], other = []] = await Promise.all(
		[uplink[family].outside, elsewhere[family]].map(async (address) => {
			const answers = await ask(
				container,
				protocols.map((protocol) => ({ protocol, address, port: 80 })),
			);
			return answers.map((answer) => answer?.sees ?? 'nobody');
		}),
	);
	return { outside: [...new Set(one)], elsewhere: [...new Set(other)] };
}

testOnBackends(
	'from an overlay to the outside it is the host that is seen, and to the overlay the container',
	async (t, host) => {
		await wholeWorld(t, host);
		const { container } = attach(t, host, { ipMasq: true, ipam: overlays }, dual);
		for (const family of [4, 6] as const) {
			t.deepEqual(await seenAs(container, family), {
				outside: [uplink[family].host],
				elsewhere: [half[family].address(1)],
			});
		}
	},
);

testOnBackends('without ipMasq the container is seen', async (t, host) => {
	await wholeWorld(t, host);
	const { container } = attach(t, host, { ipam: overlays }, dual);
	for (const family of [4, 6] as const) {
		const own = half[family].address(1);
		t.deepEqual(await seenAs(container, family), { outside: [own], elsewhere: [own] });
	}
});

testOnBackends(
	'a network that is no overlay is masqueraded container by container, and not towards other containers',
	async (t, host) => {
		await wholeWorld(t, host);
		const ranges = [[{ subnet: '10.1.0.0/24' }], [{ subnet: 'fd01::/64' }]];
		const routes = [{ dst: '0.0.0.0/0' }, { dst: '::/0' }];
		const plain = { ipam: { ranges, routes, agentSubnet: undefined }, bridge: 'm-plain', name: 'plain' };
		const { container: open } = attach(t, host, { ...plain });
		const { container: hidden } = attach(t, host, { ...plain, ipMasq: true });
		const { container: neighbour } = attach(t, host, { ipMasq: true, ipam: overlays }, dual);
		await serve(t, neighbour, 'neighbour', [80]);
		for (const family of [4, 6] as const) {
			const own = { 4: ['10.1.0.2', '10.1.0.3'], 6: ['fd01::2', 'fd01::3'] } as const;
			t.deepEqual((await seenAs(open, family)).outside, [own[family][0]]);
			t.deepEqual((await seenAs(hidden, family)).outside, [uplink[family].host]);
			const [answer] = await ask(hidden, [{ protocol: 'tcp', address: half[family].address(1), port: 80 }]);
			t.deepEqual(answer, { name: 'neighbour', sees: own[family][1] });
		}
	},
);
