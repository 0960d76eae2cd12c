namespace KestrelAcme.Configuration.Rules;

/// <summary>Keys as an operator writes them.</summary>
internal static class ConfigurationKeys
{
    /// <summary>The section that is read.</summary>
    public const string Section = "AcmeHttps";

    /// <summary>The full key of an option.</summary>
    public static string Of(string key) => $"{Section}:{key}";
}
