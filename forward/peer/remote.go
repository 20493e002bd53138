package peer

import "context"

// digestHit is the neighbour whose digest has the object.
func (c *selection) digestHit(ctx context.Context) *Peer { return nil }
