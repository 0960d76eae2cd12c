namespace KestrelAcme.Redis;

/// <summary>
/// What Redis does in one step. Only the server's clock counts. A lease is held by the text <c>:token:number:</c>, of which one part is
/// enough to recognize it.
/// </summary>
internal static class RedisScripts
{
    /// <summary>The result of <see cref="Write"/> and <see cref="Delete"/> if the lease is not held.</summary>
    public const int Refused = -1;

    /// <summary>
    /// Writes a value. KEYS: value, index, version, and the lease, if there is one. ARGV: value, key, channel, holder of the lease.
    /// </summary>
    public const string Write = Common + """

        if KEYS[4] and not holds(KEYS[4], ARGV[4]) then return -1 end
        redis.call('SET', KEYS[1], ARGV[1])
        redis.call('ZADD', KEYS[2], 0, ARGV[2])
        announce(KEYS[3], ARGV[3], ARGV[2])
        return 1
        """;

    /// <summary>Deletes a value. KEYS and ARGV: as for <see cref="Write"/>; the value is not used.</summary>
    public const string Delete = Common + """

        if KEYS[4] and not holds(KEYS[4], ARGV[4]) then return -1 end
        local existed = redis.call('DEL', KEYS[1])
        redis.call('ZREM', KEYS[2], ARGV[2])
        if existed == 1 then announce(KEYS[3], ARGV[3], ARGV[2]) end
        return existed
        """;

    /// <summary>
    /// Acquires a lease and returns its number, or nothing if it is held. KEYS: lease, fence. ARGV: token, milliseconds, the highest number
    /// that the caller has seen: if the clock of a new primary is behind, the numbers of each instance still grow.
    /// </summary>
    public const string Acquire = Common + """

        if redis.call('EXISTS', KEYS[1]) == 1 then return false end
        local number = next_number(KEYS[2], tonumber(ARGV[3]))
        redis.call('SET', KEYS[1], ':' .. ARGV[1] .. ':' .. number .. ':', 'NX', 'PX', ARGV[2])
        return number
        """;

    /// <summary>Extends a lease. KEYS: lease. ARGV: holder, milliseconds.</summary>
    public const string Renew = Common + """

        if not holds(KEYS[1], ARGV[1]) then return 0 end
        return redis.call('PEXPIRE', KEYS[1], ARGV[2])
        """;

    /// <summary>Releases a lease. KEYS: lease. ARGV: holder.</summary>
    public const string Release = Common + """

        if not holds(KEYS[1], ARGV[1]) then return 0 end
        return redis.call('DEL', KEYS[1])
        """;

    /// <summary>Does what all the others do, with a key of its own. KEYS: probe. ARGV: channel.</summary>
    public const string Probe = """
        redis.call('SET', KEYS[1], redis.call('TIME')[1], 'NX', 'PX', 60000)
        redis.call('PEXPIRE', KEYS[1], 60000)
        redis.call('GET', KEYS[1])
        redis.call('EXISTS', KEYS[1])
        redis.call('DEL', KEYS[1])
        redis.call('ZADD', KEYS[1], 0, 'probe')
        redis.call('ZREM', KEYS[1], 'probe')
        redis.call('PUBLISH', ARGV[1], '')
        return 1
        """;

    /// <summary>
    /// Returns a section of INFO of the server that holds the keys. KEYS: any. ARGV: section. StackExchange.Redis asks for it directly only
    /// with <c>allowAdmin</c>.
    /// </summary>
    public const string Info = "return redis.call('INFO', ARGV[1])";

    // A number that is neither used before nor, after the data was lost, below one used before: the time in microseconds. No script is
    // that fast, so the numbers never get ahead of the time. They are below 2^53 until the year 2255, and exact in Lua.
    private const string Common = """
        local function next_number(key, seen)
          local now = redis.call('TIME')
          local number = now[1] * 1000000 + now[2]
          local last = tonumber(redis.call('GET', key) or '') or 0
          if number <= last then number = last + 1 end
          if number <= seen then number = seen + 1 end
          local text = string.format('%.0f', number)
          redis.call('SET', key, text)
          return text, string.format('%.0f', last)
        end

        local function announce(key, channel, changed)
          local version, last = next_number(key, 0)
          redis.call('PUBLISH', channel, last .. ' ' .. version .. ' ' .. changed)
        end

        local function holds(key, holder)
          local held = redis.call('GET', key)
          return held and string.find(held, holder, 1, true)
        end
        """;
}
