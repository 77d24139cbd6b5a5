// Boost.JSON, compiled into the agent: a host process must not need another shared library for us.
#include <boost/json/src.hpp>
