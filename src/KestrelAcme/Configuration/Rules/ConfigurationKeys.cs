namespace KestrelAcme.Configuration.Rules;

/// <summary>Keys as an operator writes them.</summary>
internal static class ConfigurationKeys
{
    /// <summary>The full key of an option.</summary>
    public static string Of(string key) => $"{AcmeHttpsOptions.SectionName}:{key}";
}
