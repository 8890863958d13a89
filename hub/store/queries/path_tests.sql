-- Test alarms over the real path.

-- :name path_test_want
INSERT INTO path_tests (id, ref, day, asked_by, asked_at) VALUES (%(id)s, %(ref)s, %(day)s, %(asked_by)s, %(at)s)
ON CONFLICT DO NOTHING

-- :name path_test_claim
UPDATE path_tests t SET state = 'running', published_at = %(now)s
WHERE t.id = (SELECT p.id FROM path_tests p
              WHERE p.state = 'wanted' OR p.state = 'running' AND p.published_at < %(stuck_before)s
              ORDER BY p.asked_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING t.id, t.ref, t.day, t.asked_by, t.asked_at, t.state

-- :name path_test_seen
SELECT m.recorded_at, m.incident_id,
       (SELECT max(t.seq) FROM timeline t WHERE t.subject_kind = 'incident' AND t.subject_id = m.incident_id::text
        AND t.kind IN ('raised', 'pressed')) AS seq
FROM alarms m WHERE m.device_id = %(device_id)s AND m.ref = %(ref)s
ORDER BY m.received_at DESC LIMIT 1

-- :name path_test_finish
UPDATE path_tests SET state = %(state)s, published_at = %(published_at)s, told_at = %(told_at)s, recorded_at = %(recorded_at)s,
       shown_at = %(shown_at)s, finished_at = %(finished_at)s, reason = %(reason)s, steps = %(steps)s::jsonb
WHERE id = %(id)s

-- :name path_test_last
SELECT json_build_object('state', t.state, 'finished_at', t.finished_at, 'reason', t.reason, 'steps', t.steps) AS view
FROM path_tests t WHERE t.finished_at IS NOT NULL ORDER BY t.finished_at DESC LIMIT 1

-- :name path_tests_report
SELECT json_build_object('id', t.id, 'day', t.day, 'asked_by', t.asked_by, 'asked_at', t.asked_at, 'state', t.state,
                         'published_at', t.published_at, 'told_s', t.steps -> 'told', 'recorded_s', t.steps -> 'recorded',
                         'shown_s', t.steps -> 'shown', 'finished_at', t.finished_at, 'reason', t.reason) AS view
FROM path_tests t WHERE t.asked_at >= %(start)s AND t.asked_at < %(end)s
ORDER BY t.asked_at DESC LIMIT 1000
