
require 'json'
module App
  class Store < Base
    attr_reader :items
    # Gets.
    def get(a, *rest, key: 1, &block)
      return nil unless a > 0 && rest.any? { |r| r.ready? }
      case a when 1, 2 then fetch(a) else rest.each do |r| yield r if r end end
    rescue IOError => e
      raise Failure, "#{e}" and log.warn(e)
    end
  end
end
