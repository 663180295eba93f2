"""What follows: needs, referrals, appointments and solutions."""
