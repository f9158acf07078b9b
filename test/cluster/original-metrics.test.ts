// The names under which the original counts, which dashboards and alarms ask for.
import { PATIENCE, fixture, startMasterHost, wellOverlays } from '../helpers/original-fixture.ts';
import { until } from '../helpers/cluster-process.ts';
import { testOn } from '../helpers/requirements.ts';

/** As Prometheus gets them from DC/OS: `overlay/master/recovering` of Mesos is `mesos_overlay_master_recovering` there. */
const masterNames = [
	'process_restarts',
	'recovering',
	'ip_allocation_failures',
	'ip6_allocation_failures',
	'subnet_allocation_failures',
	'subnet6_allocation_failures',
	'bridge_allocation_failures',
	'internal_register_agent_messages_received',
	'internal_register_agent_messages_dropped',
	'internal_update_agent_overlays_messages_sent',
	'internal_agent_registered_messages_received',
	'internal_agent_registered_messages_dropped',
	'internal_agent_registered_acknowledgements_sent',
].map((name) => `mesos_overlay_master_${name}`);

const agentNames = [
	'registering',
	'overlay_config_failed',
	'overlays_without_subnets',
	'overlay_config_failures',
	'docker_cmd_failures',
	'internal_register_agent_messages_sent',
	'internal_update_agent_overlays_messages_received',
	'internal_update_agent_overlays_messages_dropped',
	'internal_agent_registered_messages_sent',
	'internal_agent_registered_messages_dropped',
	'internal_agent_registered_acknowledgements_received',
].map((name) => `mesos_overlay_slave_${name}`);

/** Those of dcos-net; it also counts polls of the agent, of which there are none. */
const dataPlaneNames = [
	'overlay_networks_configured',
	'overlay_netlink_errors_total',
	'overlay_update_processing_duration_seconds_count',
];

/** The values of a text without labels, by name. */
function valuesOf(text: string): Map<string, number> {
	return new Map(
		Array.from(text.matchAll(/^(\w+) (\S+)$/gm), ([, name = '', value]): [string, number] => [name, Number(value)]),
	);
}

testOn(['vxlan', 'ipv6'], 'what the original counts, master and agent count by its names', async (t) => {
	const both = await startMasterHost(t, fixture);
	const atMaster = async () => valuesOf(String(await both.showMaster('/metrics')));
	const atAgent = async () => valuesOf(String((await both.show('/metrics')).json));
	t.is((await atMaster()).get('mesos_overlay_master_process_restarts'), 0);
	await both.startAgent();
	await wellOverlays(both, both);
	const reports = 'internal_agent_registered_acknowledgements_received';
	await until('a report', async () => ((await atAgent()).get(`mesos_overlay_slave_${reports}`) ?? 0) > 0, PATIENCE);

	const [master, agent] = [await atMaster(), await atAgent()];
	for (const name of masterNames) t.true(master.has(name), name);
	for (const name of [...agentNames, ...dataPlaneNames]) t.true(agent.has(name), name);
	const value = (values: Map<string, number>, ending: string) =>
		[...values].find(([name]) => name.endsWith(ending))?.[1] ?? Number.NaN;
	t.is(value(agent, 'slave_registering'), 0);
	t.is(value(agent, 'slave_overlay_config_failed'), 0);
	t.is(value(agent, 'overlay_networks_configured'), 1);
	t.is(value(master, 'recovering'), 0);
	t.true(value(master, 'register_agent_messages_received') >= 2, 'a registration and a report');
	t.true(value(agent, 'register_agent_messages_sent') >= 2);
	for (const name of [...master.keys(), ...agent.keys()].filter((name) => /_(failures|errors_total)$/.test(name))) {
		t.is(master.get(name) ?? agent.get(name), 0, name);
	}
});
