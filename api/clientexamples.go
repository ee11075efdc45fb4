package api

import "github.com/attentionbank/attentionbank/event"

// What clients send, for the description.
var (
	exampleBatch      = map[string]any{"batch": []any{map[string]any{"type": "track", "event": "Jumped", "userId": "alice", "messageId": "m-1", "timestamp": "2026-01-10T12:00:00Z"}}}
	exampleCloudEvent = map[string]any{"specversion": "1.0", "id": "m-1", "source": "/cafe", "type": "Jumped", "subject": "alice", "time": "2026-01-10T12:00:00Z"}
	exampleSnowplow   = map[string]any{
		"schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4",
		"data":   []any{map[string]any{"e": "pp", "eid": "6d1c3b62-9c1e-4d3a-8a55-0d6a0f3a9e11", "aid": "ab_wk_…", "uid": "alice", "dtm": "1768046400000", "tv": "js-3.24.0", "p": "web"}},
	}
	examplePostHog      = map[string]any{"api_key": "ab_wk_…", "event": "Jumped", "distinct_id": "alice", "uuid": "6d1c3b62-9c1e-4d3a-8a55-0d6a0f3a9e11"}
	examplePostHogBatch = map[string]any{"api_key": "ab_wk_…", "batch": []any{map[string]any{"event": "Jumped", "distinct_id": "alice", "uuid": "6d1c3b62-9c1e-4d3a-8a55-0d6a0f3a9e11"}}}
)

func exampleCall(call event.Call) any {
	example := map[string]any{"userId": "alice", "messageId": "m-1", "timestamp": "2026-01-10T12:00:00Z"}
	switch call {
	case event.Track:
		example["event"] = "Jumped"
	case event.Page, event.Screen:
		example["name"] = "Lobby"
	case event.Group:
		example["groupId"] = "guild-7"
	case event.Alias:
		example["previousId"] = "anonymous-1"
	case event.Identify:
		example["anonymousId"] = "anonymous-1"
	}
	return example
}
