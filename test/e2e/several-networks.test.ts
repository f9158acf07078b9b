// Two networks on one host.
import test from 'ava';
import { silent } from '../helpers/assertions.ts';
import { attach } from '../helpers/attach.ts';
import { createHost } from '../helpers/host.ts';
import { ping } from '../helpers/traffic.ts';

const other = (network: string) => ({ name: `${network}b`, ipam: { agentSubnet: '9.0.2.0/26' } });

test('each has its bridge and its leases, and they reach each other by routing', (t) => {
	const host = createHost(t);
	const one = attach(t, host);
	const two = attach(t, host, other(host.network));
	t.deepEqual([host.addresses(host.bridge), host.addresses(`${host.bridge}b`)], [['9.0.1.1/27'], ['9.0.2.1/27']]);
	t.true(ping(one.container, '9.0.2.2'));
	t.true(ping(two.container, '9.0.1.2'));
	const withBoth = host.snapshot();
	silent(t, attach(t, host).del());
	silent(t, attach(t, host, other(host.network)).del());
	t.deepEqual(host.snapshot(), withBoth);
	silent(t, one.check());
	silent(t, two.check());
});

test('one container in both, and twice in one', (t) => {
	const host = createHost(t);
	const container = host.container();
	const containerId = 'in-both';
	// a second default route would be a conflict
	const near = (subnet: string) => ({ agentSubnet: subnet, routes: [] });
	const made = [
		attach(t, host, {}, { container, containerId, ifname: 'eth0' }),
		attach(
			t,
			host,
			{ ...other(host.network), ipam: near('9.0.2.0/26') },
			{ container, containerId, ifname: 'eth1' },
		),
		attach(t, host, { ipam: near('9.0.1.0/26') }, { container, containerId, ifname: 'net0' }),
	];
	t.deepEqual(
		['eth0', 'eth1', 'net0'].map((ifname) => container.addresses(ifname)),
		[['9.0.1.2/27'], ['9.0.2.2/27'], ['9.0.1.3/27']],
	);
	t.true(ping(container, '9.0.1.1'));
	t.true(ping(container, '9.0.2.1'));
	for (const { check } of made) silent(t, check());
	for (const { del } of made.toReversed()) silent(t, del());
	t.deepEqual(host.snapshot().leases, {});
});
