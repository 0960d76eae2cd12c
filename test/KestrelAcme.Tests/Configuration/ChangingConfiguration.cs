using Microsoft.Extensions.Configuration;

namespace KestrelAcme.Tests.Configuration;

/// <summary>A configuration that tests change, like an editor that saves appsettings.json.</summary>
internal sealed class ChangingConfiguration : ConfigurationProvider, IConfigurationSource
{
    public ChangingConfiguration(params (string Key, string? Value)[] values) => Set(values);

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    public void Change(params (string Key, string? Value)[] values)
    {
        Set(values);
        OnReload();
    }

    /// <summary>Loses all values without a change notification, like a file that can no longer be parsed.</summary>
    public void Empty() => Set([]);

    private void Set((string Key, string? Value)[] values)
        => Data = values.ToDictionary(pair => $"AcmeHttps:{pair.Key}", pair => pair.Value, StringComparer.OrdinalIgnoreCase);
}
