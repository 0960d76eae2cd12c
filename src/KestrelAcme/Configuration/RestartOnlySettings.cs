namespace KestrelAcme.Configuration;

/// <summary>The settings that are read once, at start.</summary>
internal static class RestartOnlySettings
{
    /// <summary>Returns the new snapshot with those settings as they were, and the keys of those that had changed.</summary>
    public static (ConfigurationSnapshot Effective, IReadOnlyList<string> Ignored) Keep(ConfigurationSnapshot current, ConfigurationSnapshot next)
    {
        if (next.Enabled != current.Enabled)
        {
            return (current, [ConfigurationKeys.Of(nameof(next.Enabled))]);
        }

        (string Key, bool Changed)[] settings =
        [
            (nameof(next.StoragePath), next.StoragePath != current.StoragePath),
            (nameof(next.MaxConcurrentOrders), next.MaxConcurrentOrders != current.MaxConcurrentOrders),
            (nameof(next.ContextCacheSize), next.ContextCacheSize != current.ContextCacheSize),
            (nameof(next.SessionCacheCertificates), next.SessionCacheCertificates != current.SessionCacheCertificates),
        ];
        var effective = next with
        {
            StoragePath = current.StoragePath,
            MaxConcurrentOrders = current.MaxConcurrentOrders,
            ContextCacheSize = current.ContextCacheSize,
            SessionCacheCertificates = current.SessionCacheCertificates,
        };
        return (effective, [.. settings.Where(setting => setting.Changed).Select(setting => ConfigurationKeys.Of(setting.Key))]);
    }
}
