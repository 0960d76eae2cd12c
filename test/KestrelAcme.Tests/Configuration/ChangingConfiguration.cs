using Microsoft.Extensions.Configuration;

namespace KestrelAcme.Tests.Configuration;

/// <summary>A configuration that a test rewrites, as an editor rewrites appsettings.json.</summary>
internal sealed class ChangingConfiguration : ConfigurationProvider, IConfigurationSource
{
    public ChangingConfiguration(params (string Key, string? Value)[] values) => Set(values);

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    public void Change(params (string Key, string? Value)[] values)
    {
        Set(values);
        OnReload();
    }

    /// <summary>What a file that can no longer be parsed does: it has nothing any more, and nothing signals it.</summary>
    public void Empty() => Set([]);

    private void Set((string Key, string? Value)[] values)
        => Data = values.ToDictionary(pair => $"AcmeHttps:{pair.Key}", pair => pair.Value, StringComparer.OrdinalIgnoreCase);
}
