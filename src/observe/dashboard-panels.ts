/** What the shipped dashboard shows: rows of panels, each with its PromQL. `$own` stands for the chosen instances. */
import {
  type DashboardRow,
  lines,
  ofCalls,
  quantiles,
  query,
  rate,
  stat,
} from './dashboard-panel.ts';
import { DROPS_BY_DESIGN } from './digit-ledger.ts';

const CALLS: DashboardRow = {
  title: 'Calls',
  panels: [
    stat('Calls up', 'short', 'sum(sbc_calls_active{direction="inbound",$own})'),
    stat(
      'Answered of all calls',
      'percentunit',
      'sum(rate(sbc_calls_total{direction="inbound",result="answered",$own}[$__rate_interval])) / sum(rate(sbc_calls_total{direction="inbound",$own}[$__rate_interval]))',
    ),
    stat('Not taking all calls', 'bool_on_off', 'max(sbc_overloaded{$own})'),
    stat('Bugs', 'short', 'sum(sbc_bugs_total{$own})'),
    lines(
      'Legs up by realm',
      'short',
      query('{{realm}} {{direction}}', 'sum by (realm, direction) (sbc_calls_active{$own})'),
    ),
    lines(
      'Ended calls',
      'reqps',
      query('{{result}}', rate('sbc_calls_total', 'result', 'direction="inbound",')),
    ),
    lines(
      'Final answers to INVITE',
      'reqps',
      query(
        '{{direction}} {{code}}',
        rate('sbc_sip_requests_total', 'direction, code', 'method="INVITE",'),
      ),
    ),
    lines(
      'Refused for lack of room, or for their source',
      'reqps',
      query('{{reason}}', rate('sbc_admission_rejections_total', 'reason')),
      query('{{rule}}', rate('sbc_acl_denied_total', 'rule')),
    ),
  ],
};

const SET_UP: DashboardRow = {
  title: 'Set-up',
  panels: [
    lines('Post-dial delay', 's', ...ofCalls('sbc_post_dial_delay_seconds', 0.5, 0.95, 0.99)),
    lines('Length of calls', 's', ...ofCalls('sbc_call_duration_seconds', 0.5, 0.95)),
    lines(
      'Dropped by the SIP engine without an answer',
      'reqps',
      query('{{reason}}', rate('sbc_sip_dropped_total', 'reason')),
    ),
  ],
};

const DIGITS: DashboardRow = {
  title: 'Digits',
  panels: [
    lines(
      'Digits by way',
      'reqps',
      query('{{from}} to {{to}}', rate('sbc_dtmf_digits_total', 'from, to', 'result="delivered",')),
    ),
    lines(
      'Lost digits',
      'reqps',
      query(
        '{{reason}}',
        rate('sbc_dtmf_dropped_total', 'reason', `reason!~"${DROPS_BY_DESIGN.join('|')}",`),
      ),
    ),
    {
      ...lines(
        'Digits not passed on, as it should be',
        'reqps',
        query(
          '{{reason}}',
          rate('sbc_dtmf_dropped_total', 'reason', `reason=~"${DROPS_BY_DESIGN.join('|')}",`),
        ),
      ),
      description: 'They also came by another method, or nobody wanted them: nothing is lost.',
    },
    lines('Digit latency', 's', ...ofCalls('sbc_dtmf_conversion_seconds', 0.5, 0.99)),
    {
      ...lines('KPML gap', 's', ...ofCalls('sbc_kpml_gap_seconds', 0.5, 0.95)),
      description:
        'Answer until the subscription is active: keys pressed in it cannot be reported.',
    },
    lines(
      'KPML subscriptions',
      'short',
      query('{{role}} {{state}}', 'sum by (role, state) (sbc_kpml_subscriptions{$own})'),
    ),
  ],
};

const AGENTS: DashboardRow = {
  title: 'Session agents',
  panels: [
    lines('Answering', 'bool_on_off', query('{{agent}}', 'min by (agent) (sbc_agent_up{$own})')),
    lines(
      'State',
      'short',
      query('{{agent}} {{state}}', 'max by (agent, state) (sbc_agent_state{$own}) == 1'),
    ),
    lines(
      'OPTIONS round trip, p95',
      's',
      query(
        '{{agent}}',
        'histogram_quantile(0.95, sum by (le, agent) (rate(sbc_agent_options_rtt_seconds_bucket{$own}[$__rate_interval])))',
      ),
    ),
    lines(
      'Calls by agent and result',
      'reqps',
      query('{{agent}} {{result}}', rate('sbc_calls_total', 'agent, result', 'agent!="none",')),
    ),
    lines(
      'Kept out by a constraint',
      'reqps',
      query(
        '{{agent}} {{constraint}}',
        rate('sbc_agent_constraint_rejections_total', 'agent, constraint'),
      ),
    ),
  ],
};

const MEDIA: DashboardRow = {
  title: 'Media',
  panels: [
    lines(
      'RTP packets',
      'pps',
      query('{{realm}} {{direction}}', rate('sbc_rtp_packets_total', 'realm, direction')),
    ),
    lines(
      'RTP loss',
      'percentunit',
      query(
        'lost of all sent to us',
        'sum(rate(sbc_rtp_lost_packets_total{$own}[$__rate_interval])) / (sum(rate(sbc_rtp_lost_packets_total{$own}[$__rate_interval])) + sum(rate(sbc_rtp_packets_total{direction="inbound",$own}[$__rate_interval])))',
      ),
    ),
    lines('RTP jitter', 's', ...quantiles('sbc_rtp_jitter_seconds', 0.5, 0.95)),
    lines(
      'Calls with audio one way only',
      'short',
      query('on average', 'sum(rate(sbc_rtp_one_way_seconds_total{$own}[$__rate_interval]))'),
    ),
    lines(
      'Free media ports',
      'percentunit',
      query(
        '{{pool}}',
        'min by (pool) (sbc_media_ports_free{$own} / on (pool, instance) sbc_media_ports{$own})',
      ),
    ),
    lines(
      'Media trouble',
      'reqps',
      query('not opened: {{reason}}', rate('sbc_media_failures_total', 'reason')),
      query('silent too long', 'sum(rate(sbc_media_timeouts_total{$own}[$__rate_interval]))'),
      query(
        'packets from strangers',
        'sum(rate(sbc_media_source_violations_total{$own}[$__rate_interval]))',
      ),
    ),
    lines(
      'What moves packets',
      'short',
      query('{{engine}} {{io}}', 'count by (engine, io) (sbc_media_info{$own})'),
      query('directions in the kernel', 'sum(sbc_media_kernel_flows{$own})'),
    ),
    lines(
      'rtpengine answering',
      'bool_on_off',
      query('{{node}}', 'min by (node) (sbc_rtpengine_up{$own})'),
    ),
    lines(
      'rtpengine commands, p95',
      's',
      query(
        '{{node}} {{command}}',
        'histogram_quantile(0.95, sum by (le, node, command) (rate(sbc_rtpengine_request_seconds_bucket{$own}[$__rate_interval])))',
      ),
    ),
    lines(
      'rtpengine commands, failed',
      'reqps',
      query(
        '{{node}} {{command}} {{reason}}',
        rate('sbc_rtpengine_requests_failed_total', 'node, command, reason'),
      ),
    ),
    lines(
      'rtpengine: datagrams of no use',
      'reqps',
      query('answers: {{reason}}', rate('sbc_rtpengine_answers_dropped_total', 'reason')),
      query('reports: {{reason}}', rate('sbc_rtpengine_reports_dropped_total', 'reason')),
    ),
  ],
};

const FEATURES: DashboardRow = {
  title: 'Feature keys',
  panels: [
    lines('Phones subscribed', 'short', query('', 'sum(sbc_dfks_subscriptions{$own})')),
    lines(
      'Changes',
      'reqps',
      query(
        '{{feature}} by {{source}} {{result}}',
        rate('sbc_dfks_updates_total', 'feature, source, result'),
      ),
    ),
    lines(
      'NOTIFYs',
      'reqps',
      query('{{result}}', rate('sbc_dfks_notify_total', 'result')),
      query('waiting', 'sum(sbc_dfks_notify_due{$own})'),
    ),
    lines(
      'SUBSCRIBEs',
      'reqps',
      query('{{code}}', rate('sbc_dfks_subscribe_total', 'code')),
      query('loops stopped', 'sum(rate(sbc_dfks_loop_guard_total{$own}[$__rate_interval]))'),
    ),
    lines(
      'Store, p95',
      's',
      query(
        '{{op}} {{result}}',
        'histogram_quantile(0.95, sum by (le, op, result) (rate(sbc_dfks_provider_seconds_bucket{$own}[$__rate_interval])))',
      ),
    ),
    lines(
      'Calls that a key acted on',
      'reqps',
      query('{{feature}} {{result}}', rate('sbc_dfks_calls_total', 'feature, result')),
    ),
  ],
};

const PROCESS: DashboardRow = {
  title: 'Process',
  panels: [
    lines('Event loop lag', 's', ...quantiles('sbc_event_loop_lag_seconds', 0.5, 0.99)),
    lines('Heap', 'bytes', query('{{instance}}', 'sbc_heap_used_bytes{$own}')),
    lines(
      'Calls taken per second under load',
      'reqps',
      query('{{instance}}', 'sbc_overload_calls_per_second{$own} < +Inf'),
    ),
    lines(
      'Call records',
      'reqps',
      query('written', 'sum(rate(sbc_cdr_written_total{$own}[$__rate_interval]))'),
      query('failed: {{part}}', rate('sbc_cdr_failures_total', 'part')),
      query('lost', 'sum(rate(sbc_cdr_lost_total{$own}[$__rate_interval]))'),
      query('of a killed process', 'sum(rate(sbc_cdr_recovered_total{$own}[$__rate_interval]))'),
      query('waiting', 'sum(sbc_cdr_waiting{$own})'),
    ),
    lines(
      'Started anew',
      'short',
      query('relay workers', 'sum(increase(sbc_worker_restarts_total{$own}[$__rate_interval]))'),
      query('SIP engine', 'sum(increase(sbc_engine_restarts_total{$own}[$__rate_interval]))'),
      query(
        'configuration {{result}}',
        'sum by (result) (increase(sbc_config_reloads_total{$own}[$__rate_interval]))',
      ),
    ),
    lines(
      'Capture by Homer',
      'reqps',
      query('{{type}} {{result}}', rate('sbc_hep_packets_total', 'type, result')),
    ),
    lines(
      'Version and configuration',
      'short',
      query('{{version}} on {{node}}', 'count by (version, node) (sbc_build_info{$own})'),
      query('{{hash}}', 'count by (hash) (sbc_config_info{$own})'),
    ),
  ],
};

export const DASHBOARD_ROWS: readonly DashboardRow[] = [
  CALLS,
  SET_UP,
  DIGITS,
  AGENTS,
  MEDIA,
  FEATURES,
  PROCESS,
];
