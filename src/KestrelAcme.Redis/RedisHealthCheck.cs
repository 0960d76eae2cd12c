using System.Globalization;
using KestrelAcme.Storage;
using StackExchange.Redis;

namespace KestrelAcme.Redis;

/// <summary>Checks that Redis can be read and written, evicts no keys, and writes them to a disk.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class RedisHealthCheck(RedisStorage storage, RedisKeys keys, TimeProvider time)
{
    // Leases are refused while the policy is wrong; this long, the last answer counts.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    // If the user may not read the policy, there is no point in asking often.
    private static readonly TimeSpan LongPause = TimeSpan.FromHours(1);

    private volatile Verdict? _verdict;

    /// <inheritdoc cref="IAcmeStorage.CheckAsync"/>
    public async ValueTask<StorageHealth> RunAsync(CancellationToken cancellationToken)
    {
        var readable = false;
        try
        {
            await storage.RunAsync("checking it", db => db.StringGetAsync(keys.Version, CommandFlags.DemandMaster), cancellationToken);
            readable = true;
            await storage.RunAsync(
                "writing a test value",
                db => db.ScriptEvaluateAsync(
                    RedisScripts.Probe, [keys.Probe], [storage.ServerChannel(db)], CommandFlags.DemandMaster),
                cancellationToken);
            var settings = await ReadSettingsAsync(cancellationToken);
            var refusal = Remember(settings);
            string? explanation = refusal is not null && settings.Persists == false ? $"{refusal} {NotPersistent()}"
                : refusal ?? (settings.Persists == false ? NotPersistent() : UnknownSettings(settings));
            var isDurable = refusal is null && settings.Persists != false;
            return new(readable, Writable: refusal is null, isDurable, storage.Place, explanation);
        }
        catch (StorageUnavailableException exception)
        {
            // Whether it is durable is unknown; an outage must not look like a store that is lost at each restart.
            return new(readable, Writable: false, Durable: true, storage.Place, exception.Message);
        }
    }

    /// <summary>
    /// Keeps anything from being ordered into a store that may lose it. Asks once, unless the answer is bad or there is none.
    /// </summary>
    /// <exception cref="StorageUnavailableException">Redis may evict keys, or cannot be reached.</exception>
    public async ValueTask ThrowIfEvictingAsync(CancellationToken cancellationToken)
    {
        var verdict = _verdict;
        if (verdict is null || (verdict.Expires is { } pause && time.GetElapsedTime(verdict.Since) >= pause))
        {
            Remember(await ReadSettingsAsync(cancellationToken));
            verdict = _verdict;
        }

        if (verdict?.Refusal is { } refusal)
        {
            throw new StorageUnavailableException(refusal);
        }
    }

    private string? Remember(Settings settings)
    {
        string? refusal = settings is { Policy: not (null or "noeviction"), MaxMemory: not 0 }
            ? $"{storage.Place} may remove certificates and keys: maxmemory-policy is '{settings.Policy}'"
                + (settings.MaxMemory is { } bytes ? $", and maxmemory is {bytes.ToString(CultureInfo.InvariantCulture)} bytes" : "")
                + ". Each lost certificate would have to be ordered again, so KestrelAcme orders nothing with it. Set maxmemory-policy "
                + "to noeviction (redis.conf, CONFIG SET, or the settings of the managed service), or use another Redis."
            : null;
        _verdict = new(refusal, time.GetTimestamp(), refusal is not null ? Pause : settings.Policy is null ? LongPause : null);
        return refusal;
    }

    private string NotPersistent()
        => $"{storage.Place} keeps its data in memory only, and a restart loses it: neither 'appendonly' nor 'save' is set. Set "
            + "'appendonly yes' (redis.conf, CONFIG SET, or the settings of the managed service), or AcmeHttps:AllowEphemeralStorage to "
            + "true.";

    private string? UnknownSettings(Settings settings)
    {
        var unknown = (settings.Policy is null, settings.Persists is null) switch
        {
            (true, true) => "maxmemory-policy is noeviction, and that 'appendonly yes' or 'save' is set",
            (true, false) => "maxmemory-policy is noeviction",
            (false, true) => "'appendonly yes' or 'save' is set, or that the service keeps the data in another way",
            _ => null,
        };
        return unknown is null
            ? null
            : $"{storage.Place} does not let this user read all settings (INFO and CONFIG GET). Make sure that {unknown}.";
    }

    private Task<Settings> ReadSettingsAsync(CancellationToken cancellationToken)
        => storage.RunAsync("reading its settings", ReadSettingsAsync, cancellationToken);

    private async Task<Settings> ReadSettingsAsync(IDatabase db)
    {
        // INFO knows all but the points of time at which the data is saved, and CONFIG is often forbidden.
        var memory = await TryInfoAsync(db, "memory") ?? await TryConfigAsync(db, "maxmemory*");
        var policy = memory?.GetValueOrDefault("maxmemory_policy") ?? memory?.GetValueOrDefault("maxmemory-policy");
        var maximum = memory?.GetValueOrDefault("maxmemory");
        long? limit = long.TryParse(maximum, CultureInfo.InvariantCulture, out var bytes) ? bytes : null;
        var persistence = await TryInfoAsync(db, "persistence");
        var appends = persistence is null
            ? (await TryConfigAsync(db, "appendonly"))?.GetValueOrDefault("appendonly") == "yes"
            : persistence.GetValueOrDefault("aof_enabled") == "1";
        if (appends)
        {
            return new(policy, limit, Persists: true);
        }

        if ((await TryConfigAsync(db, "save"))?.GetValueOrDefault("save") is { } save)
        {
            return new(policy, limit, Persists: save.Length > 0);
        }

        // A server that has saved before is likely to save again. One that has not (-1) may be young.
        var lastSave = persistence?.GetValueOrDefault("rdb_last_bgsave_time_sec");
        return new(policy, limit, Persists: lastSave is null or "-1" ? null : true);
    }

    private async Task<Dictionary<string, string>?> TryInfoAsync(IDatabase db, string section)
    {
        try
        {
            var reply = await db.ScriptEvaluateAsync(RedisScripts.Info, [keys.Index], [section], CommandFlags.DemandMaster);
            return ((string?)reply ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(line => line.Split(':', 2)).Where(pair => pair.Length == 2)
                .DistinctBy(pair => pair[0], StringComparer.Ordinal).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
        }
        catch (Exception exception) when (exception is RedisServerException or RedisCommandException)
        {
            return null;
        }
    }

    private async Task<Dictionary<string, string>?> TryConfigAsync(IDatabase db, string pattern)
    {
        try
        {
            var reply = await db.Multiplexer.GetServer(keys.Index).ExecuteAsync("CONFIG", "GET", pattern);
            return ((string?[]?)reply ?? []).Chunk(2).Where(pair => pair.Length == 2)
                .ToDictionary(pair => pair[0] ?? "", pair => pair[1] ?? "", StringComparer.Ordinal);
        }
        catch (Exception exception) when (exception is RedisServerException or RedisCommandException)
        {
            return null;
        }
    }

    /// <summary>What is known of the server; null for what may not be read.</summary>
    private sealed record Settings(string? Policy, long? MaxMemory, bool? Persists);

    /// <summary>The last answer, and how long it counts; null: for good.</summary>
    private sealed record Verdict(string? Refusal, long Since, TimeSpan? Expires);
}
