using Microsoft.Extensions.Options;

namespace KestrelAcme.Configuration.Binding;

/// <summary>Creates the options as the framework does, and reports options that are not valid as a list.</summary>
internal sealed class AcmeHttpsOptionsFactory(
    IEnumerable<IConfigureOptions<AcmeHttpsOptions>> setups,
    IEnumerable<IPostConfigureOptions<AcmeHttpsOptions>> postConfigures,
    IEnumerable<IValidateOptions<AcmeHttpsOptions>> validations) : IOptionsFactory<AcmeHttpsOptions>
{
    private readonly OptionsFactory<AcmeHttpsOptions> _factory = new(setups, postConfigures, validations);

    /// <inheritdoc/>
    /// <exception cref="InvalidConfigurationException">The options are not valid; all problems are in it.</exception>
    public AcmeHttpsOptions Create(string name)
    {
        try
        {
            return _factory.Create(name);
        }
        catch (OptionsValidationException exception)
        {
            throw new InvalidConfigurationException(exception.Failures);
        }
    }
}

/// <summary>
/// The options are not valid. Its text is a list, one problem a line, with nothing below it: the stack trace of a wrong configuration says
/// nothing about it, and forty lines of it push the list off the screen. A debugger still has it in <see cref="Exception.StackTrace"/>.
/// </summary>
/// <param name="failures">The problems, a line each.</param>
internal sealed class InvalidConfigurationException(IEnumerable<string> failures)
    : OptionsValidationException(Options.DefaultName, typeof(AcmeHttpsOptions), failures.Select(failure => failure.Trim()).ToList())
{
    private static readonly string NewLine = Environment.NewLine + "  ";

    /// <inheritdoc/>
    public override string Message
        => $"The configuration of automatic HTTPS (section {AcmeHttpsOptions.SectionName}) is not valid:"
            + $"{NewLine}{string.Join(NewLine, Failures)}";

    /// <inheritdoc/>
    public override string ToString() => $"{typeof(OptionsValidationException)}: {Message}";
}
