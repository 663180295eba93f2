"""The outreach call-centre dispatcher for early school leavers."""
