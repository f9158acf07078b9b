// cnitool drives the executable: libcni's own reading of what we print.
import type { Result } from '../helpers/cni.ts';
import { createCnitool } from '../helpers/cnitool.ts';
import type { Outcome } from '../helpers/command.ts';
import { createHost } from '../helpers/host.ts';
import { everyVersion, familiesOf, half, networkConfiguration, roomForOne } from '../helpers/network-configuration.ts';
import { testOn, widestFamily } from '../helpers/requirements.ts';
import { ping } from '../helpers/traffic.ts';

const text = ({ status, stdout, stderr }: Outcome) => `status ${status}: ${stdout} ${stderr}`;

for (const cniVersion of everyVersion) {
	testOn('cnitool', `add, check, status, gc, del at ${cniVersion}`, (t) => {
		const host = createHost(t);
		const container = host.container();
		const cnitool = createCnitool(host, networkConfiguration(host, { cniVersion }, widestFamily()));
		const added = cnitool('add', container);
		t.is(added.status, 0, text(added));
		const result = JSON.parse(added.stdout) as Result;
		t.is(result.cniVersion, cniVersion);
		for (const family of familiesOf(widestFamily())) t.true(ping(container, half[family].gateway));

		const verbs = [
			...(cniVersion >= '0.4.0' ? (['check'] as const) : []),
			...(cniVersion >= '1.1.0' ? (['status'] as const) : []),
			'del',
			'del',
			...(cniVersion >= '1.1.0' ? (['gc'] as const) : []),
		] as const;
		for (const verb of verbs) {
			const outcome = cnitool(verb, container);
			t.is(outcome.status, 0, `${verb}: ${text(outcome)}`);
		}
		t.is(container.link('eth0'), undefined);
		t.deepEqual(host.snapshot().leases, {});
	});
}

testOn('cnitool', 'an error reaches the user with its message', (t) => {
	const host = createHost(t);
	const cnitool = createCnitool(host, networkConfiguration(host, { ipam: roomForOne }));
	t.is(cnitool('add', host.container()).status, 0);
	const status = cnitool('status', host.container());
	t.not(status.status, 0);
	t.regex(status.stderr + status.stdout, /9\.0\.1\.0\/30/);
	const full = cnitool('add', host.container());
	t.not(full.status, 0);
	t.regex(full.stderr + full.stdout, /9\.0\.1\.0\/30/);
});

testOn('cnitool', 'gc, which names no attachment as valid, has libcni detach all that it knows', (t) => {
	const host = createHost(t);
	const containers = [host.container(), host.container()];
	const cnitool = createCnitool(host, networkConfiguration(host));
	for (const container of containers) t.is(cnitool('add', container).status, 0);
	const collected = cnitool('gc', host);
	t.is(collected.status, 0, text(collected));
	for (const container of containers) t.is(container.link('eth0'), undefined);
	t.deepEqual(host.snapshot().leases, {});
});

testOn('cnitool', 'check finds what is missing', (t) => {
	const host = createHost(t);
	const container = host.container();
	const cnitool = createCnitool(host, networkConfiguration(host));
	t.is(cnitool('add', container).status, 0);
	container.must(['ip', 'route', 'del', 'default']);
	const checked = cnitool('check', container);
	t.not(checked.status, 0);
	t.regex(checked.stderr + checked.stdout, /0\.0\.0\.0\/0/);
});

testOn('cnitool', 'capabilities: host ports and bandwidth come from the runtime, and go with the container', (t) => {
	const host = createHost(t);
	const container = host.container();
	const capabilities = { portMappings: true, bandwidth: true };
	const cnitool = createCnitool(host, networkConfiguration(host, { capabilities, ipMasq: true }));
	const CAP_ARGS = JSON.stringify({
		portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
		bandwidth: { ingressRate: 8_000_000, ingressBurst: 800_000 },
	});
	const verb = (name: 'add' | 'check' | 'del') => {
		const outcome = cnitool(name, container, { CAP_ARGS });
		t.is(outcome.status, 0, `${name}: ${text(outcome)}`);
	};
	const element = () => host.must(['/usr/sbin/nft', 'list', 'map', 'inet', 'mesos_overlay', 'host_ports4']);
	verb('add');
	t.true(element().includes('tcp . 8080'));
	verb('check');
	verb('del');
	t.false(element().includes('elements'));
	t.is(cnitool('del', container).status, 0);
});
