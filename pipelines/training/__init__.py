"""Everything that made `pipelines/embedded`: the scene generator and one trainer per part."""
