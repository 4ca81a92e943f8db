"""Files that people bring and take away: photos in, clips out. numpy, Pillow and PyAV, no torch."""
