using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;

namespace KestrelAcme.Configuration.Binding;

/// <summary>Reads the settings of a DNS provider into a plain options class, with a key for each property.</summary>
/// <typeparam name="TOptions">The options class.</typeparam>
internal static class DnsProviderOptionsReader<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] TOptions>
    where TOptions : class, new()
{
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    /// <summary>Returns the type of provider with its keys, which are checked at start.</summary>
    /// <exception cref="ArgumentException">A property has a type that cannot be read from the configuration.</exception>
    public static DnsProviderType TypeOf(string name) => new(name, [.. Properties().Select(KeyOf)]);

    /// <summary>Creates the options from validated settings.</summary>
    public static TOptions Read(DnsProviderSettings settings)
    {
        var options = new TOptions();
        foreach (var property in Properties())
        {
            if (settings.Find(property.Name) is { } text && TryConvert(text, property.PropertyType, out var value))
            {
                property.SetValue(options, value);
            }
        }

        return options;
    }

    // Not what every provider has, nor the paths of files with secrets: those are read into the secrets themselves.
    private static IEnumerable<PropertyInfo> Properties()
    {
        var all = typeof(TOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property is { CanRead: true, SetMethod.IsPublic: true } && property.GetIndexParameters().Length == 0)
            .Where(property => property.DeclaringType != typeof(DnsProviderOptions))
            .ToList();
        var files = all.Where(property => SettingOf(property).Secret).Select(property => property.Name + "File").ToHashSet();
        return all.Where(property => !files.Contains(property.Name));
    }

    private static DnsProviderSettingAttribute SettingOf(PropertyInfo property)
        => property.GetCustomAttribute<DnsProviderSettingAttribute>() ?? new DnsProviderSettingAttribute();

    private static DnsProviderKey KeyOf(PropertyInfo property)
    {
        if (Expected(property.PropertyType) is not { } expected)
        {
            throw new ArgumentException(
                $"{typeof(TOptions).Name}.{property.Name} has type {property.PropertyType.Name}, which is not read from the configuration. "
                + "Use string, bool, int, long, TimeSpan, Guid, Uri or an enumeration.");
        }

        var rules = property.GetCustomAttributes<ValidationAttribute>().ToList();
        var setting = SettingOf(property);
        return new DnsProviderKey(property.Name, rules.OfType<RequiredAttribute>().Any(), setting.Secret)
        {
            Example = setting.Example,
            Needs = setting.Needs,
            Alternative = setting.Alternative,
            Check = text => !TryConvert(text, property.PropertyType, out var value) ? $"is not {expected}"
                : FirstBroken(rules, value, property.Name) is { } broken ? ReasonOf(broken)
                : null,
        };
    }

    private static ValidationResult? FirstBroken(List<ValidationAttribute> rules, object? value, string name)
    {
        var context = new ValidationContext(new object(), name, serviceProvider: null, items: null) { MemberName = name };
        return rules.Select(rule => rule.GetValidationResult(value, context)).FirstOrDefault(result => result is not null);
    }

    // An attribute of the provider's own says what is wrong as a sentence goes on after the value; those of the framework begin anew.
    private static string ReasonOf(ValidationResult broken)
    {
        var message = (broken.ErrorMessage ?? "is invalid").TrimEnd('.');
        return char.IsLower(message[0]) ? message : $"is invalid: {message}";
    }

    private static string? Expected(Type type)
    {
        var bare = Nullable.GetUnderlyingType(type) ?? type;
        return bare == typeof(string) ? "a text"
            : bare == typeof(bool) ? "true or false"
            : bare == typeof(int) || bare == typeof(long) ? "a whole number"
            : bare == typeof(TimeSpan) ? "a duration such as 00:05:00"
            : bare == typeof(Guid) ? "a GUID"
            : bare == typeof(Uri) ? "an absolute URL"
            : bare.IsEnum ? $"one of {string.Join(", ", Enum.GetNames(bare))}"
            : null;
    }

    private static bool TryConvert(string text, Type type, out object? value)
    {
        var bare = Nullable.GetUnderlyingType(type) ?? type;
        value = bare == typeof(string) ? text
            : bare == typeof(bool) ? bool.TryParse(text, out var flag) ? flag : null
            : bare == typeof(int) ? int.TryParse(text, NumberStyles.AllowLeadingSign, Invariant, out var number) ? number : null
            : bare == typeof(long) ? long.TryParse(text, NumberStyles.AllowLeadingSign, Invariant, out var large) ? large : null
            : bare == typeof(TimeSpan) ? TimeSpan.TryParse(text, Invariant, out var duration) ? duration : null
            : bare == typeof(Guid) ? Guid.TryParse(text, out var id) ? id : null
            : bare == typeof(Uri) ? Uri.TryCreate(text, UriKind.Absolute, out var url) ? url : null
            : Enum.TryParse(bare, text, ignoreCase: true, out var named) && Enum.IsDefined(bare, named) ? named : null;
        return value is not null;
    }
}
