using System.Globalization;
using KestrelAcme.Configuration.Names;
using Microsoft.Extensions.Configuration;

namespace KestrelAcme.Configuration.Rules;

/// <summary>Parses single configuration values. A value that cannot be parsed becomes a problem.</summary>
internal sealed class ValueParser(ICollection<ConfigurationProblem> problems)
{
    /// <summary>Parses a boolean.</summary>
    public bool? Flag(IConfigurationSection section, string text)
    {
        if (bool.TryParse(text, out var flag))
        {
            return flag;
        }

        Report(section, "is not a boolean", "Write true or false");
        return null;
    }

    /// <summary>Parses an integer.</summary>
    public int? Number(IConfigurationSection section, string text)
    {
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        Report(section, "is not a whole number", "Write only digits");
        return null;
    }

    /// <summary>Parses a duration. A plain number is an error: to .NET it means days, to most readers it means seconds.</summary>
    public TimeSpan? Duration(IConfigurationSection section, string text)
    {
        if (text.Contains(':') && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var duration))
        {
            return duration;
        }

        Report(section, "is not a duration", "Write hours, minutes and seconds, such as 00:05:00 for five minutes");
        return null;
    }

    /// <summary>Parses the name of an enum member, never its number.</summary>
    public TEnum? Choice<TEnum>(IConfigurationSection section, string text)
        where TEnum : struct, Enum
    {
        var names = Enum.GetNames<TEnum>();
        if (Array.Find(names, name => string.Equals(name, text, StringComparison.OrdinalIgnoreCase)) is { } found)
        {
            return Enum.Parse<TEnum>(found);
        }

        if (typeof(TEnum) == typeof(KeyAlgorithm) && OfLettuceEncrypt(text) is { } renamed)
        {
            return Enum.Parse<TEnum>(renamed);
        }

        var fix = NearestName.Find(text, names) is { } nearest ? $"Did you mean '{nearest}'?" : "Write one of them";
        Report(section, $"is not one of {string.Join(", ", names)}", fix);
        return null;
    }

    // LettuceEncrypt names types of keys by the algorithms of signatures. There is no ES512: public CAs issue no certificates for it.
    private static string? OfLettuceEncrypt(string text) => text.ToUpperInvariant() switch
    {
        "ES256" => nameof(KeyAlgorithm.EcdsaP256),
        "ES384" => nameof(KeyAlgorithm.EcdsaP384),
        "RS256" => nameof(KeyAlgorithm.Rsa2048),
        _ => null,
    };

    private void Report(IConfigurationSection section, string reason, string fix)
        => problems.Add(new ConfigurationProblem(section.Path, section.Value, reason, fix));
}
