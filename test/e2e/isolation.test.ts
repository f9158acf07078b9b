// Who may talk to whom: by network, by container, by the labels of Mesos; and by which addresses a container may send.
import test, { type ExecutionContext } from 'ava';
import { ask, serve, type Target } from '../helpers/answering.ts';
import { refused, silent } from '../helpers/assertions.ts';
import { attach, type Attached } from '../helpers/attach.ts';
import { createHost, type Host, filterBridged } from '../helpers/host.ts';
import { allRules, testOnBackends } from '../helpers/backends.ts';
import { variants } from '../helpers/iptables.ts';
import type { Namespace } from '../helpers/namespace.ts';
import type { Configuration } from '../helpers/network-configuration.ts';
import { outside, uplink } from '../helpers/outside.ts';
import { testOn } from '../helpers/requirements.ts';

const families = [4, 6] as const;

interface Member {
	readonly name: string;
	readonly attached: Attached;
	readonly addresses: Readonly<Record<4 | 6, string>>;
}

const subnets = {
	dcos: { agentSubnet: '9.0.1.0/26', agentSubnet6: 'fd00:9:0:1::/64', overlay6: 'fd00:9::/32', prefix6: 64 },
	other: {
		agentSubnet: '10.1.1.0/26',
		overlay: '10.1.0.0/16',
		agentSubnet6: 'fd00:10:0:1::/64',
		overlay6: 'fd00:10::/32',
		prefix6: 64,
	},
};

/** A container in one of two networks that answers at port 80, and 81. */
async function member(
	t: ExecutionContext,
	host: Host,
	network: keyof typeof subnets,
	name: string,
	keys: Configuration,
): Promise<Member> {
	const own = { name: `${host.network}${network}`, bridge: `m-${network}`, ipam: subnets[network] };
	const attached = attach(t, host, { ...own, ipMasq: true, ...keys }, { family: 'dual stack' });
	// As the runtime does after the ADD: so it reaches itself.
	attached.container.must(['ip', 'link', 'set', 'lo', 'up']);
	const [ipv4 = '', ipv6 = ''] = attached.result.ips.map(({ address }) => address.replace(/\/.*/u, ''));
	await serve(t, attached.container, name, [80, 81]);
	return { name, attached, addresses: { 4: ipv4, 6: ipv6 } };
}

/** Whom a namespace reaches directly, of all members, at a port, by TCP and UDP and both families alike. */
async function reaches(from: Namespace, members: readonly Member[], port = 80): Promise<string[]> {
	const targets: Target[] = members.flatMap(({ addresses }) =>
		families.flatMap((family) =>
			(['tcp', 'udp'] as const).map((protocol) => ({ protocol, address: addresses[family], port })),
		),
	);
	const answers = await ask(from, targets);
	return members.flatMap(({ name }, at) => {
		const own = answers.slice(at * 4, at * 4 + 4).map((answer) => answer?.name);
		const distinct = [...new Set(own)];
		if (distinct.length !== 1) return [`${name} in part: ${own.join(', ')}`];
		return distinct[0] === undefined ? [] : [distinct[0]];
	});
}

/** A machine outside that answers as "world", and knows the way to the containers. */
async function world(t: ExecutionContext, host: Host): Promise<Namespace> {
	const machine = outside(t, host);
	machine.must(['sh', '-c', 'ip route add 9.0.0.0/8 via 192.0.2.1 && ip route add fd00::/16 via 2001:db8::1']);
	await serve(t, machine, 'world', [80]);
	return machine;
}

for (const bridged of [0, 1] as const) {
	const where = `bridge-nf-call ${bridged}`;
	// Packets between ports of a bridge do not come to iptables without it.
	const iptables = bridged === 1 ? variants : [];

	testOnBackends(
		`network: only the same network, on this host and elsewhere: ${where}`,
		async (t, host) => {
			filterBridged(host, bridged);
			const machine = await world(t, host);
			const closed = { isolation: 'network' };
			const a = await member(t, host, 'dcos', 'a', closed);
			const b = await member(t, host, 'dcos', 'b', closed);
			const c = await member(t, host, 'other', 'c', {});
			const d = await member(t, host, 'other', 'd', {});
			const all = [a, b, c, d];
			t.deepEqual(await reaches(a.attached.container, all), ['a', 'b']);
			t.deepEqual(await reaches(b.attached.container, all), ['a', 'b']);
			t.deepEqual(await reaches(c.attached.container, all), ['c', 'd']);
			t.deepEqual(await reaches(host, all), ['a', 'b', 'c', 'd']);
			t.deepEqual(await reaches(machine, [a, b]), []);

			// Another host of the same network, and the world.
			machine.must([
				'sh',
				'-c',
				'ip address add 9.0.2.2/32 dev lo && ip -6 address add fd00:9:0:2::2/128 dev lo',
			]);
			host.must(['sh', '-c', 'ip route add 9.0.2.2 via 192.0.2.2 && ip route add fd00:9:0:2::2 via 2001:db8::2']);
			const elsewhere = ['9.0.2.2', 'fd00:9:0:2::2', uplink[4].outside, uplink[6].outside];
			const targets = elsewhere.map((address) => ({ protocol: 'tcp' as const, address, port: 80 }));
			const seen = (await ask(a.attached.container, targets)).map((answer) => answer?.sees);
			t.deepEqual(seen, [a.addresses[4], a.addresses[6], uplink[4].host, uplink[6].host]);
		},
		iptables,
	);

	testOnBackends(
		`container: nobody but the host, and published ports: ${where}`,
		async (t, host) => {
			filterBridged(host, bridged);
			const machine = await world(t, host);
			const runtimeConfig = { portMappings: [{ hostPort: 8080, containerPort: 80 }] };
			const a = await member(t, host, 'dcos', 'a', { isolation: 'container', runtimeConfig });
			const b = await member(t, host, 'dcos', 'b', { isolation: 'container' });
			const c = await member(t, host, 'other', 'c', {});
			const all = [a, b, c];
			t.deepEqual(await reaches(a.attached.container, all), ['a']);
			t.deepEqual(await reaches(b.attached.container, all), ['b']);
			t.deepEqual(await reaches(c.attached.container, all), ['c']);
			t.deepEqual(await reaches(host, all), ['a', 'b', 'c']);
			t.deepEqual(await reaches(machine, [a, b]), []);
			for (const from of [machine, host, b.attached.container, c.attached.container, a.attached.container]) {
				const published = [uplink[4].host, uplink[6].host].map((address) => ({
					protocol: 'tcp' as const,
					address,
					port: 8080,
				}));
				const names = (await ask(from, published)).map((answer) => answer?.name);
				t.deepEqual(names, ['a', 'a'], from.name);
			}
			const [outwards] = await ask(b.attached.container, [
				{ protocol: 'tcp', address: uplink[4].outside, port: 80 },
			]);
			t.deepEqual(outwards, { name: 'world', sees: uplink[4].host });
			silent(t, a.attached.check());
		},
		iptables,
	);

	testOnBackends(
		`policy: labels of Mesos say who reaches whom, and by which port: ${where}`,
		async (t, host) => {
			filterBridged(host, bridged);
			const rules = {
				policy: [
					{ from: { label: 'app=web' }, to: { label: 'app=db' }, ports: ['80/tcp', '80/udp'] },
					{ from: { label: 'app=ops' }, to: { label: 'app=db' } },
				],
			};
			const labelled = (value: string) => ({
				...rules,
				args: {
					'org.apache.mesos': { network_info: { labels: { labels: [{ key: 'app', value }] } } },
				},
			});
			const web = await member(t, host, 'dcos', 'web', labelled('web'));
			const db = await member(t, host, 'dcos', 'db', labelled('db'));
			const ops = await member(t, host, 'dcos', 'ops', labelled('ops'));
			const stranger = await member(t, host, 'dcos', 'stranger', rules);
			const all = [web, db, ops, stranger];
			const others = ['web', 'ops', 'stranger'];
			const from = ({ attached }: Member, port?: number) => reaches(attached.container, all, port);
			t.deepEqual(await from(web), ['web', 'db', 'ops', 'stranger']);
			t.deepEqual(await from(web, 81), others);
			t.deepEqual(await from(ops, 81), ['web', 'db', 'ops', 'stranger']);
			t.deepEqual(await from(stranger), others);
			t.deepEqual(await from(db), ['web', 'db', 'ops', 'stranger']);
			for (const { attached } of all) silent(t, attached.check());
			t.true(allRules(host).includes(db.addresses[4]));
			silent(t, ops.attached.del());
			t.deepEqual(await from(web), ['web', 'db', 'stranger']);
			silent(t, db.attached.del({ netns: '' }));
			t.deepEqual(host.must(['ip', '-6', 'neigh', 'show', 'proxy']).includes(db.addresses[6]), false);
			const left = allRules(host);
			t.false(left.includes(db.addresses[4]) || left.includes(ops.addresses[6]));
		},
		iptables,
	);
}

test('CHECK says that the isolation of a port was taken off', (t) => {
	const host = createHost(t);
	filterBridged(host, 0);
	const attached = attach(t, host, { isolation: 'container' });
	silent(t, attached.check());
	host.must(['ip', 'link', 'set', attached.port()?.ifname ?? '', 'type', 'bridge_slave', 'isolated', 'off']);
	refused(t, attached.check(), 105, 'isolation of port "', '" is off');
});

testOn(
	'nftables-bridge',
	'a port sends by its own MAC and addresses only, ARP and neighbour discovery included',
	async (t) => {
		const host = createHost(t);
		filterBridged(host, 0);
		const strict = { spoofCheck: true };
		const dual = { family: 'dual stack' } as const;
		const { container, check, del, port } = attach(t, host, strict, dual);
		const { container: victim, result } = attach(t, host, strict, dual);
		await serve(t, victim, 'victim', [80]);
		const [ipv4 = '', ipv6 = ''] = result.ips.map(({ address }) => address.replace(/\/.*/u, ''));
		const targets = [ipv4, ipv6].map((address) => ({ protocol: 'udp' as const, address, port: 80 }));
		const heard = async () => (await ask(container, targets)).map((answer) => answer?.name);
		t.deepEqual(await heard(), ['victim', 'victim']);
		silent(t, check());

		// What the port lets through is what the bridge learns of.
		const passes = (command: string, packet: string): boolean => {
			const name = port()?.ifname ?? '';
			const table = 'table bridge seen';
			host.must([
				'/usr/sbin/nft',
				`${table} { chain c { type filter hook prerouting priority 0; iifname ${name} ${packet} counter; }; }`,
			]);
			container.run(['sh', '-c', command]);
			const { packets } =
				/counter packets (?<packets>\d+)/u.exec(host.must(['/usr/sbin/nft', 'list', 'ruleset', 'bridge']))
					?.groups ?? {};
			host.must(['/usr/sbin/nft', 'delete', 'table', 'bridge', 'seen']);
			return Number(packets) > 0;
		};
		const send = (address: string, to: string) =>
			`ip address add ${address} dev eth0 nodad 2>/dev/null; ping -c 1 -W 0.2 -I ${address.replace(/\/.*/u, '')} ${to}; ip address del ${address} dev eth0`;
		t.true(passes(`ping -c 1 -W 0.2 ${ipv4}`, `ip daddr ${ipv4}`));
		t.false(passes(send('9.0.1.20/27', ipv4), `ip saddr 9.0.1.20`));
		t.false(passes(send('9.0.1.20/27', '9.0.1.21'), `arp saddr ip 9.0.1.20`));
		t.true(passes('ping -c 1 -W 0.2 9.0.1.22', 'arp daddr ip 9.0.1.22'));
		t.false(passes(send('fd00:9:0:1::20/65', ipv6), 'ip6 saddr fd00:9:0:1::20'));
		t.false(
			passes(
				`ip link set eth0 address 02:00:00:00:00:99; ping -c 1 -W 0.2 ${ipv4}`,
				'ether saddr 02:00:00:00:00:99',
			),
		);
		silent(t, del());
		t.is(port(), undefined);
	},
);
