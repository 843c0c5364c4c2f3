"""What the notebooks of the course import: data, simulators, likelihoods, inference, figures, timing."""
