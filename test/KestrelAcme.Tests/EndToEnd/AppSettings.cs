namespace KestrelAcme.Tests.EndToEnd;

/// <summary>Writes names into the settings of an application as an operator does.</summary>
internal static class AppSettings
{
    private const string Names = "AcmeHttps:DomainNames";
    private const string Groups = "AcmeHttps:Certificates";

    /// <summary>Adds names, each for a certificate of its own.</summary>
    public static Dictionary<string, string?> AddNames(this Dictionary<string, string?> settings, IReadOnlyList<string> names)
    {
        for (var i = 0; i < names.Count; i++)
        {
            settings[$"{Names}:{i}"] = names[i];
        }

        return settings;
    }

    /// <summary>Adds one certificate for several names.</summary>
    public static Dictionary<string, string?> AddGroup(this Dictionary<string, string?> settings, params IReadOnlyList<string> names)
    {
        var group = settings.Keys.Count(
            key => key.StartsWith(Groups, StringComparison.Ordinal) && key.EndsWith(":DomainNames:0", StringComparison.Ordinal));
        for (var i = 0; i < names.Count; i++)
        {
            settings[$"{Groups}:{group}:DomainNames:{i}"] = names[i];
        }

        return settings;
    }

    /// <summary>The names that have certificates of their own.</summary>
    public static IReadOnlyList<string> SingleNames(this Dictionary<string, string?> settings)
        => [.. settings.Where(s => s.Key.StartsWith(Names, StringComparison.Ordinal)).Select(s => s.Value!)];

    /// <summary>All names, those of groups too.</summary>
    public static IReadOnlyList<string> AllNames(this Dictionary<string, string?> settings)
        => [.. settings.Where(s => s.Key.Contains(":DomainNames:", StringComparison.Ordinal)).Select(s => s.Value!)];
}
